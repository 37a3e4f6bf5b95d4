import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())('R7 on PostgreSQL $major: reset', (server) => {
  let dsn: string
  let pool: Pool

  const open = async (options: PoolOptions) => {
    pool = await createPool(dsn, { minSize: 1, maxSize: 1, ...options })
  }

  /** What the server was sent last on the pool's connection, and when that ended. */
  const lastSent = async () => {
    const rows = await adminQuery<{ query: string; changed: string }>(
      dsn,
      `select query, state_change::text as changed from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    )
    return rows[0]!
  }

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    await adminQuery(dsn, 'create sequence numbers; create table kept (n int)')
  })

  afterEach(() => pool.terminate())

  it("'auto' sends nothing after statements that touch nothing of the session", async () => {
    await open({ reset: 'auto' })
    for (let i = 0; i < 2; i++) await pool.fetchVal('select count(*)::int from kept where n = $1', [i])
    await until('the statement has ended', async () => (await lastSent()).query.startsWith('select count'))
    await pool.transaction((tx) => tx.execute('update kept set n = 1'))
    await until('the transaction has ended', async () => (await lastSent()).query === 'COMMIT')
  })

  it("'auto' takes back what statements touched, and that alone", async () => {
    await open({ reset: 'auto' })
    await pool.use((connection) => connection.execute("set work_mem = '77MB'; listen news"))
    const prepared = await pool.fetch<{ statement: string }>(
      "select statement from pg_catalog.pg_prepared_statements where name like 'rockpool_reset_%' order by substring(name, '\\d+')::int",
    )
    expect(prepared.map(({ statement }) => statement)).toEqual([
      'BEGIN ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE',
      'RESET SESSION AUTHORIZATION',
      'RESET ROLE',
      'RESET ALL',
      'UNLISTEN *',
      'COMMIT',
    ])
    expect(
      await pool.fetchRow(
        "select current_setting('work_mem') as memory, (select count(*)::int from pg_listening_channels()) as channels",
      ),
    ).toEqual({ memory: '4MB', channels: 0 })
  })

  it("'auto' takes everything back after a function that it does not know, and after DO", async () => {
    await open({ reset: 'auto' })
    await adminQuery(
      dsn,
      `create function touch() returns void language plpgsql as $$ begin
         perform set_config('work_mem', '77MB', false); perform pg_advisory_lock(7);
         execute 'prepare behind as select 1'; create temp table secret (n int); end $$`,
    )
    const seen = () =>
      pool.fetchRow(
        `select current_setting('work_mem') as memory, to_regclass('pg_temp.secret')::text as secret,
           (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
           (select count(*)::int from pg_prepared_statements where from_sql) as prepared`,
      )
    const clean = { memory: '4MB', secret: null, locks: 0, prepared: 0 }
    await pool.fetchVal('select touch()')
    expect(await seen()).toEqual(clean)
    await pool.execute('do $$ begin perform touch(); end $$')
    expect(await seen()).toEqual(clean)
  })

  it("'auto' deallocates what was prepared with SQL, and unlocks without taking the lock's answer for a name", async () => {
    await open({ reset: 'auto' })
    await pool.use((connection) => connection.execute('prepare secret as select 1'))
    expect(await pool.fetchVal('select count(*)::int from pg_prepared_statements where from_sql')).toBe(0)
    await pool.fetchVal('select pg_advisory_lock(1)')
    expect(
      await pool.fetchVal(
        "select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
      ),
    ).toBe(0)
    expect(pool.stats().totals.opened).toBe(1)
  })

  it("'auto' takes back the state of a statement that was cancelled by the release", async () => {
    await open({ reset: 'auto' })
    const connection = await pool.acquire()
    const running = connection.execute("set work_mem = '77MB'; select pg_sleep(60)")
    running.catch(() => {})
    await connection.release()
    await expect(running).rejects.toThrow('released back to the pool')
    expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('4MB')
  })

  it("'never' leaves the state and rolls the transaction back", async () => {
    await open({ reset: 'never' })
    const warnings: string[] = []
    pool.on('warning', ({ message }) => warnings.push(message))
    await pool.use((connection) => connection.execute("set work_mem = '77MB'"))
    await pool.use((connection) => connection.execute('begin; insert into kept values (1)'))
    expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('77MB')
    expect(await pool.fetchVal('select count(*)::int from kept')).toBe(0)
    expect(warnings).toEqual([expect.stringContaining('inside a transaction')])
  })

  it('R11: a function takes its place, after the rollback and at each release, on a connection that ends with it', async () => {
    const states: boolean[] = []
    let lent: { fetchVal(sql: string): Promise<unknown> } | undefined
    await open({
      reset: async (connection) => {
        states.push(connection.isInTransaction)
        lent = connection
        await connection.execute('reset work_mem')
      },
    })
    await pool.use(async (connection) => {
      await connection.execute("set work_mem = '77MB'; set lock_timeout = '9s'")
      await connection.execute('begin')
    })
    expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('4MB')
    expect(await pool.fetchVal("select current_setting('lock_timeout')")).toBe('9s')
    await pool.use(async () => {
      expect(states).toEqual([false, false, false])
      await expect(lent!.fetchVal('select 1')).rejects.toThrow('the reset hook, which it was for, has ended')
    })
  })

  it('R11: a transaction that a reset function leaves open is rolled back', async () => {
    await open({
      reset: async (connection) => void (await connection.execute('begin; insert into kept values (1)')),
    })
    await pool.use(() => {})
    await pool.use(async (connection) => {
      expect(connection.isInTransaction).toBe(false)
      expect(await connection.fetchVal('select count(*)::int from kept')).toBe(0)
    })
  })

  it('R11: a reset function that throws or hangs closes its connection, and the pool goes on at full capacity', async () => {
    const faults = ['throw', 'hang']
    const reasons: unknown[] = []
    await open({
      hookTimeout: '1s',
      reset: async (connection) => {
        const fault = faults.shift()
        if (fault === 'throw') throw new Error('reset failed')
        if (fault === 'hang') await connection.fetchVal('select pg_sleep(60)')
      },
    })
    pool.on('close', ({ reason }) => reasons.push(reason))
    const ids: unknown[] = []
    for (let i = 0; i < 4; i++) ids.push(await pool.use(({ processId }) => processId))
    expect(new Set(ids).size).toBe(3)
    expect(reasons).toEqual(['resetFailed', 'resetFailed'])
    expect(pool.size).toBe(1)
  })
})
