import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPool } from '../../src/index.ts'
import { primaryAndStandby, type Replication } from '../support/primary-and-standby.ts'
import { servers } from '../support/servers.ts'

describe.for(servers())('a pool on a hot standby of PostgreSQL $major', (server) => {
  let replication: Replication

  beforeAll(async () => {
    replication = await primaryAndStandby(server)
  }, 60_000)

  afterAll(() => replication.stop())

  it('serves any number of callers, and its reset works there', async () => {
    const pool = await createPool(replication.standby.dsn, { minSize: 2, maxSize: 5 })
    const closed: string[] = []
    pool.on('close', ({ reason }) => closed.push(reason))
    const pids = await Promise.all(
      Array.from({ length: 100 }, () =>
        pool.use(async (connection) => {
          await connection.execute("set work_mem = '77MB'; select pg_advisory_lock_shared(1)")
          expect(await connection.fetchVal('select pg_is_in_recovery()')).toBe(true)
          return connection.processId
        }),
      ),
    )
    expect(new Set(pids).size).toBeLessThanOrEqual(5)
    expect(await pool.fetchVal('show work_mem')).toBe('4MB')
    expect(closed).toEqual([])
    await pool.close()
  })

  it('reads by a cursor', async () => {
    const pool = await createPool(replication.standby.dsn, { minSize: 1, maxSize: 1 })
    const rows = await pool.transaction((tx) => tx.cursor('select generate_series(1, 3) as n').fetch(10))
    expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    await pool.close()
  })

  it('refuses to write as PostgreSQL says', async () => {
    const pool = await createPool(replication.standby.dsn, { minSize: 1, maxSize: 1 })
    await expect(pool.execute('create table written ()')).rejects.toMatchObject({
      condition: 'read_only_sql_transaction',
    })
    expect(await pool.transaction((tx) => tx.fetchVal('select 1'))).toBe(1)
    await pool.close()
  })
})
