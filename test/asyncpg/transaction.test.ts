import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, createPool, type Pool } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

const levels = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'] as const

describe.for(servers())('a transaction on PostgreSQL $major', (server) => {
  const stop = new Error('stop')
  let dsn: string
  let connection: Connection

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
  })

  afterEach(() => connection.terminate())

  it('is seen by isInTransaction, and what it created goes with its failure', async () => {
    expect(connection.isInTransaction).toBe(false)
    const work = connection.transaction(async (tx) => {
      expect(connection.isInTransaction).toBe(true)
      await tx.execute('create table made (n int)')
      throw stop
    })
    await expect(work).rejects.toBe(stop)
    expect(connection.isInTransaction).toBe(false)
    await expect(connection.fetch('select * from made')).rejects.toThrow('relation "made" does not exist')
  })

  it('keeps what its savepoints did until it fails as a whole', async () => {
    const work = connection.transaction(async (tx) => {
      await tx.execute('create table made (n int)')
      await tx.transaction(async (inner) => {
        expect(connection.isInTransaction).toBe(true)
        await inner.execute('insert into made values (1), (2)')
      })
      const failed = tx.transaction(async (inner) => {
        await inner.execute('insert into made values (3), (4)')
        throw stop
      })
      await expect(failed).rejects.toBe(stop)
      expect(await tx.fetch('select n from made order by n')).toEqual([{ n: 1 }, { n: 2 }])
      throw stop
    })
    await expect(work).rejects.toBe(stop)
    expect(connection.isInTransaction).toBe(false)
    await expect(connection.fetch('select * from made')).rejects.toMatchObject({
      condition: 'undefined_table',
    })
  })

  it('R21: inside a BEGIN of its user is refused, and leaves that one open', async () => {
    await connection.execute('begin')
    expect(connection.isInTransaction).toBe(true)
    await expect(connection.transaction(() => {})).rejects.toMatchObject({
      code: 'ROCKPOOL_INTERFACE',
      outcome: 'not-sent',
    })
    expect(connection.isInTransaction).toBe(true)
    await connection.execute('rollback')
    expect(await connection.transaction((tx) => tx.fetchVal('select 1'))).toBe(1)
  })

  it.for(levels.flatMap((session) => [undefined, ...levels].map((own) => [session, own] as const)))(
    "under a session's %s asked for %s has the level that is asked for, else the session's",
    async ([session, own]) => {
      await connection.execute(`set session characteristics as transaction isolation level ${session}`)
      const options = own === undefined ? {} : { isolation: own }
      const seen = await connection.transaction((tx) => tx.fetchVal('show transaction_isolation'), options)
      expect(seen).toBe(own ?? session)
      expect(await connection.fetchVal('show transaction_isolation')).toBe(session)
    },
  )

  it.for(levels)('at %s gives its savepoints the same level', async (isolation) => {
    const seen = await connection.transaction(
      (tx) => tx.transaction((inner) => inner.fetchVal('show transaction_isolation')),
      { isolation },
    )
    expect(seen).toBe(isolation)
  })

  it('that is read only refuses to write', async () => {
    await connection.execute('create table made (n int)')
    await expect(
      connection.transaction((tx) => tx.execute('insert into made values (1)'), { readOnly: true }),
    ).rejects.toMatchObject({ condition: 'read_only_sql_transaction' })
  })

  it('R7: left open by BEGIN on a lent connection is rolled back for the next owner, on the same backend', async () => {
    const pool: Pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const id = 'select pg_current_xact_id()::text'
    const first = await pool.use(async (lent) => {
      await lent.execute('begin')
      return [lent.processId, await lent.fetchVal(id)]
    })
    const second = await pool.use(async (lent) => {
      expect(lent.isInTransaction).toBe(false)
      return [lent.processId, await lent.fetchVal(id)]
    })
    expect(second[0]).toBe(first[0])
    expect(second[1]).not.toBe(first[1])
    await pool.close()
  })
})
