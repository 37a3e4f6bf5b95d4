import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect, createPool, type Pool } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

/** What a session can carry over, by how it is made and how the next owner would see it. */
const traces: readonly [what: string, make: string, see: string, clean: unknown][] = [
  ['a setting', "set work_mem = '77MB'", "select current_setting('work_mem')", '4MB'],
  [
    'a hostile search_path',
    'set search_path = hostile',
    "select current_setting('search_path')",
    '"$user", public',
  ],
  [
    'a tiny statement_timeout',
    "set statement_timeout = '20ms'",
    "select current_setting('statement_timeout')",
    '0',
  ],
  ['a role', 'set role tenant', 'select current_user::text', 'postgres'],
  ['a session authorization', 'set session authorization tenant', 'select session_user::text', 'postgres'],
  [
    'an advisory lock',
    'select pg_advisory_lock(1)',
    "select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    0,
  ],
  [
    'a temporary table',
    'create temp table secret (n int)',
    "select to_regclass('pg_temp.secret')::text",
    null,
  ],
  ['a channel', 'listen secret', 'select count(*)::int from pg_listening_channels()', 0],
  [
    'a cursor WITH HOLD',
    'declare secret cursor with hold for select 1',
    "select count(*)::int from pg_cursors where name = 'secret'",
    0,
  ],
  [
    'statements prepared with SQL',
    'prepare secret as select 1; prepare "Se""cret" as select 2',
    'select count(*)::int from pg_prepared_statements where from_sql',
    0,
  ],
  ['a transaction', 'begin', 'select pg_current_xact_id_if_assigned()::text', null],
  ['a transaction with writes', 'begin; insert into kept values (1)', 'select count(*)::int from kept', 0],
]

describe.for(servers())('R7 on PostgreSQL $major: no later owner sees', (server) => {
  let dsn: string
  let pool: Pool

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    await adminQuery(
      dsn,
      `do $$ begin if not exists (select from pg_roles where rolname = 'tenant') then create role tenant; end if;
       exception when unique_violation or duplicate_object then null; end $$;
       create table kept (n int); create schema hostile; grant usage on schema hostile to public;
       create function hostile.pg_advisory_unlock_all() returns void language sql as 'select';
       create sequence numbers`,
    )
    pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
  })

  afterEach(() => pool.terminate())

  it.for(traces)('%s', async ([, make, see, clean]) => {
    const processId = await pool.use(async (connection) => {
      await connection.execute(make)
      return connection.processId
    })
    const seen = await pool.use(async (connection) => [await connection.fetchVal(see), connection.processId])
    expect(seen).toEqual([clean, processId])
  })

  it('sequence state', async () => {
    await pool.use((connection) => connection.fetchVal("select nextval('numbers')"))
    await expect(pool.fetchVal('select lastval()')).rejects.toMatchObject({ sqlState: '55000' })
  })

  it('state that an earlier owner made inside a failed transaction', async () => {
    const held = await pool.acquire()
    await held.execute("begin; set role tenant; set work_mem = '77MB'")
    await expect(held.execute('select 1/0')).rejects.toThrow()
    await held.release()
    expect(await pool.fetchVal('select current_user::text')).toBe('postgres')
  })

  it('any of it, when the state was made behind a function and the reset meets a shadowed name', async () => {
    await adminQuery(
      dsn,
      `create function touch() returns void language plpgsql as $$ begin
         perform set_config('search_path', 'hostile', false); perform pg_catalog.pg_advisory_lock(7);
         execute 'prepare behind as select 1'; end $$`,
    )
    await pool.use((connection) => connection.fetchVal('select touch()'))
    expect(
      await pool.fetchRow(
        `select current_setting('search_path') as path,
           (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
           (select count(*)::int from pg_prepared_statements where from_sql) as prepared`,
      ),
    ).toEqual({ path: '"$user", public', locks: 0, prepared: 0 })
  })

  it('defaults for transactions, nor waits for a snapshot that they ask the reset to wait for', async () => {
    const warnings: unknown[] = []
    pool.on('warning', (warning) => warnings.push(warning))
    const writer = await connect(dsn)
    await writer.execute('begin isolation level serializable')
    await writer.execute('insert into kept values (1)')
    const make =
      'set session characteristics as transaction isolation level serializable, read only, deferrable'
    for (const leave of [make, `${make}; begin`]) {
      const processId = await pool.use(async (connection) => {
        await connection.execute(leave)
        return connection.processId
      })
      const seen = `select current_setting('transaction_isolation') || ' ' || pg_backend_pid()`
      expect(await pool.fetchVal(seen, [], { timeout: '2s' })).toBe(`read committed ${processId}`)
    }
    await writer.close()
    expect(warnings).toEqual([
      expect.objectContaining({ message: expect.stringContaining('released inside a transaction') }),
    ])
  })

  it('a statement that was still running: it is cancelled', async () => {
    const connection = await pool.acquire()
    const running = connection.fetchVal('select pg_sleep(60)')
    const unwritten = connection.fetchVal('select 1')
    running.catch(() => {})
    unwritten.catch(() => {})
    const { processId } = connection
    await connection.release()
    await expect(running).rejects.toThrow('released back to the pool before this statement ended')
    await expect(unwritten).rejects.toMatchObject({ outcome: 'not-sent' })
    expect(await pool.fetchVal('select pg_backend_pid()')).toBe(processId)
  })
})

describe('R7', () => {
  let dsn: string
  let pool: Pool

  const open = async () => {
    dsn = await freshDatabase()
    pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
  }

  afterEach(() => pool.terminate())

  it('warns of a transaction that was left open', async () => {
    await open()
    const warnings: string[] = []
    pool.on('warning', ({ message }) => warnings.push(message))
    await pool.use((connection) => connection.execute('begin'))
    await pool.fetchVal('select 1')
    expect(warnings).toEqual([expect.stringContaining('released inside a transaction')])
  })

  it("keeps the cache's own statements", async () => {
    await open()
    const sql = 'select 1 + $1::int as kept'
    for (let i = 0; i < 3; i++) await pool.fetchVal(sql, [i])
    const prepared = await pool.fetch('select 1 from pg_prepared_statements where statement = $1', [sql])
    expect(prepared.length).toBe(1)
  })

  it('sends nothing when nothing ran', async () => {
    await open()
    const lastQuery = async () => {
      const [row] = await adminQuery<{ query: string; change: string }>(
        dsn,
        'select query, state_change::text as change from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
      return row
    }
    const before = await lastQuery()
    await pool.use(() => {})
    await pool.use(() => {})
    expect(await lastQuery()).toEqual(before)
  })

  it('a connection that its user closed or terminated is no failed reset', async () => {
    await open()
    const closed: unknown[] = []
    pool.on('close', ({ reason, error }) => closed.push([reason, error]))
    for (const end of ['close', 'terminate'] as const) {
      const processId = await pool.use(async (connection) => {
        await connection.execute('select setseed(0.5)')
        await connection[end]()
        return connection.processId
      })
      expect(await pool.fetchVal('select pg_backend_pid()')).not.toBe(processId)
    }
    expect(closed).toEqual([
      ['byUser', undefined],
      ['byUser', undefined],
    ])
    expect(pool.stats().totals.closed).toMatchObject({ byUser: 2, resetFailed: 0 })
  })

  it('a reset that fails closes the connection, and the next owner gets another', async () => {
    await open()
    const closed: unknown[] = []
    pool.on('close', ({ reason }) => closed.push(reason))
    await adminQuery(dsn, `alter database ${new URL(dsn).pathname.slice(1)} set lock_timeout = '100ms'`)
    pool.expireConnections()
    const blocker = await connect(dsn)
    const processId = await pool.use(async (connection) => {
      await connection.execute('create temp table stuck (n int)')
      const name = await connection.fetchVal<string>('select pg_my_temp_schema()::regnamespace::text')
      await blocker.execute(`begin; lock table ${name}.stuck`)
      return connection.processId
    })
    expect(await pool.fetchVal('select pg_backend_pid()')).not.toBe(processId)
    expect(closed).toContain('resetFailed')
    expect(pool.size).toBe(1)
    await blocker.close()
  })
})
