import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, type Transaction } from '../../src/index.ts'
import { backends, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())('an abort on PostgreSQL $major', (server) => {
  const left = new Error('left')
  let dsn: string
  let connection: Connection

  /** Aborts a statement once the server works on it. */
  const abortOne = async (start: (signal: AbortSignal) => Promise<unknown>) => {
    const controller = new AbortController()
    const sleeping = start(controller.signal)
    sleeping.catch(() => {})
    await until('it sleeps', async () =>
      (await backends(dsn)).some(
        ({ pid, state, query }) =>
          pid === connection.processId && state === 'active' && /pg_sleep\(60/.test(query),
      ),
    )
    controller.abort(left)
    await expect(sleeping).rejects.toBe(left)
  }
  const sleep = (signal: AbortSignal) => connection.fetch('select pg_sleep(60)', [], { signal })

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
  })

  afterEach(() => connection.terminate())

  it.for<[call: string, run: (tx: Transaction) => Promise<unknown>, answer: unknown]>([
    ['execute', (tx) => tx.execute('select 42'), 'SELECT 1'],
    ['executeMany', (tx) => tx.executeMany('select $1::int', [[1], [2]]), undefined],
    ['fetchVal', (tx) => tx.fetchVal('select 42'), 42],
    ['fetchRow', (tx) => tx.fetchRow('select 42 as n'), { n: 42 }],
    ['fetch', (tx) => tx.fetch('select 42 as n'), [{ n: 42 }]],
    ['query', (tx) => tx.query('select 42 as n'), expect.objectContaining({ rows: [{ n: 42 }] })],
  ])('leaves the connection ready for %s in a transaction', async ([, run, answer]) => {
    await abortOne(sleep)
    expect(await connection.transaction(run)).toEqual(answer)
  })

  it('after the answer changes nothing', async () => {
    const controller = new AbortController()
    const rows = await connection.fetch('select 1 as n', [], { signal: controller.signal })
    controller.abort(left)
    expect(rows).toEqual([{ n: 1 }])
    expect(await connection.fetchVal('select 42')).toBe(42)
  })

  it('within a transaction fails that transaction, and the connection lives', async () => {
    await expect(
      connection.transaction(async (tx) => {
        await abortOne((signal) => tx.fetch('select pg_sleep(60)', [], { signal }))
        await tx.fetch('select 1')
      }),
    ).rejects.toMatchObject({ condition: 'in_failed_sql_transaction' })
    expect(connection.isInTransaction).toBe(false)
    expect(await connection.fetchVal('select 42')).toBe(42)
  })

  it('before the time-out wins against it', async () => {
    await abortOne((signal) => connection.fetch('select pg_sleep(60)', [], { signal, timeout: '30s' }))
    expect(await connection.fetchVal('select 42')).toBe(42)
  })

  it('of one statement leaves those of other connections alone', async () => {
    const other = await connect(dsn)
    const slow = other.fetchVal('select 7 from pg_sleep(0.5)')
    await abortOne(sleep)
    expect(await slow).toBe(7)
    await other.close()
  })
})
