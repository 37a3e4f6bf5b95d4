import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, InterfaceError, type Transaction } from '../../src/index.ts'
import { freshDatabase } from '../support/servers.ts'

describe('a transaction', () => {
  let connection: Connection
  const ids = async () =>
    (await connection.fetch<{ id: number }>('select id from t order by id')).map(({ id }) => id)

  beforeAll(async () => {
    connection = await connect(await freshDatabase())
    await connection.execute('create table t (id int primary key deferrable initially deferred)')
  })

  beforeEach(() => connection.execute('truncate t'))
  afterAll(() => connection.close())

  it('commits what its callback did, and gives its value', async () => {
    const value = await connection.transaction(async (tx) => {
      await tx.execute('insert into t values (1)')
      return 'done'
    })
    expect(value).toBe('done')
    expect(await ids()).toEqual([1])
  })

  it('rolls back when its callback rejects, with its error', async () => {
    const error = new Error('no')
    await expect(
      connection.transaction(async (tx) => {
        await tx.execute('insert into t values (1)')
        throw error
      }),
    ).rejects.toBe(error)
    expect(await ids()).toEqual([])
    expect(connection.isInTransaction).toBe(false)
  })

  it('nested is a savepoint: its failure leaves the rest', async () => {
    await connection.transaction(async (tx) => {
      await tx.execute('insert into t values (1)')
      await expect(
        tx.transaction(async (inner) => {
          await inner.execute('insert into t values (2)')
          await inner.execute('select 1/0')
        }),
      ).rejects.toMatchObject({ condition: 'division_by_zero' })
      await tx.transaction(async (inner) => {
        await inner.execute('insert into t values (3)')
        await inner.transaction((innermost) => innermost.execute('insert into t values (4)'))
      })
    })
    expect(await ids()).toEqual([1, 3, 4])
  })

  it('takes isolation, readOnly and deferrable', async () => {
    const seen = await connection.transaction(
      (tx) =>
        tx.fetchRow(
          `select current_setting('transaction_isolation') as isolation,
                  current_setting('transaction_read_only') as "readOnly",
                  current_setting('transaction_deferrable') as deferrable`,
        ),
      { isolation: 'serializable', readOnly: true, deferrable: true },
    )
    expect(seen).toEqual({ isolation: 'serializable', readOnly: 'on', deferrable: 'on' })
    await expect(connection.transaction(async () => {}, { isolation: 'chaos' as never })).rejects.toThrow(
      /isolation/,
    )
    await expect(connection.transaction(async () => {}, { readOnly: 'yes' as never })).rejects.toThrow(
      /readOnly/,
    )
  })

  it('R21: rejects when COMMIT answers ROLLBACK, because an error was swallowed', async () => {
    const swallowed = connection.transaction(async (tx) => {
      await tx.execute('insert into t values (1)')
      await tx.execute('select 1/0').catch(() => {})
    })
    await expect(swallowed).rejects.toThrow(/was rolled back/)
    await expect(swallowed).rejects.toMatchObject({
      outcome: 'failed',
      cause: expect.objectContaining({ condition: 'division_by_zero' }),
    })
    expect(await ids()).toEqual([])
    expect(connection.isInTransaction).toBe(false)
  })

  it('R21: a savepoint whose error was swallowed rejects, and the transaction lives', async () => {
    await connection.transaction(async (tx) => {
      await tx.execute('insert into t values (1)')
      await expect(tx.transaction((inner) => inner.execute('select 1/0').catch(() => {}))).rejects.toThrow(
        /savepoint was rolled back/,
      )
    })
    expect(await ids()).toEqual([1])
  })

  it('R21: a call resolves only when the server is ready: a deferred constraint rejects it', async () => {
    await connection.execute('insert into t values (1)')
    await expect(connection.execute('insert into t values ($1)', [1])).rejects.toMatchObject({
      condition: 'unique_violation',
    })
    await expect(connection.executeMany('insert into t values ($1)', [[5], [5]])).rejects.toMatchObject({
      condition: 'unique_violation',
    })
    await expect(
      connection.transaction((tx) => tx.execute('insert into t values (1)')),
    ).rejects.toMatchObject({
      condition: 'unique_violation',
      outcome: 'failed',
    })
    expect(await ids()).toEqual([1])
  })

  it('R21: a tx used after its end rejects', async () => {
    let kept: Transaction | undefined
    await connection.transaction(async (tx) => {
      kept = tx
    })
    await expect(kept!.fetch('select 1')).rejects.toThrow(
      'cannot call Transaction.fetch(): its transaction has ended',
    )
    await expect(kept!.transaction(async () => {})).rejects.toThrow(InterfaceError)
  })

  it('R21: a second one beside an unfinished one is refused', async () => {
    await connection.transaction(async (tx) => {
      await expect(connection.transaction(async () => {})).rejects.toThrow(/open on this connection already/)
      const first = tx.transaction((inner) => inner.execute('insert into t values (1)'))
      await expect(tx.transaction(async () => {})).rejects.toThrow(/open inside this transaction already/)
      await first
    })
    await connection.execute('begin')
    await expect(connection.transaction(async () => {})).rejects.toThrow(/already/)
    await connection.execute('rollback')
    expect(await ids()).toEqual([1])
  })

  it('in a failed transaction the later calls reject as PostgreSQL says', async () => {
    await expect(
      connection.transaction(async (tx) => {
        const results = await Promise.allSettled([tx.execute('select 1/0'), tx.fetchVal('select 1')])
        expect(results[1]).toMatchObject({ reason: { condition: 'in_failed_sql_transaction' } })
      }),
    ).rejects.toMatchObject({ cause: { condition: 'division_by_zero' } })
  })
})
