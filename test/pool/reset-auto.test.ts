import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

const disguised: readonly [sql: string, since?: number][] = [
  ["set local.foo = 'leak'"],
  ["set transaction.foo = 'leak'"],
  ["set constraints.foo = 'leak'"],
  [`select U&"set!005fconfig" uescape '!' ('work_mem', '77MB', false)`],
  [`select U&"pg!005fadvisory_lock" uescape '!' (1)`],
  ['select treat(1::bigint as pg_advisory_lock)'],
  ["select treat('numbers'::regclass as nextval)"],
  ["select ('numbers'::regclass).nextval"],
  ['select (1::bigint).pg_advisory_lock'],
  ['select 1 insert into temp secret'],
  ['select (1) insert into temp secret'],
  ['with y as (select 1 as a) select a as merge into temp secret from y'],
  ['update kept set n = 1 returning with (old as o) over(1)', 18],
]

describe.for(servers())("R7 on PostgreSQL $major: 'auto' takes back", (server) => {
  let pool: Pool

  beforeEach(async () => {
    const dsn = await freshDatabase(server)
    await adminQuery(
      dsn,
      `create sequence numbers; create table kept (n int); insert into kept values (0);
       create function over(int) returns text language sql as $$ select set_config('work_mem', '77MB', false) $$`,
    )
    pool = await createPool(dsn, { minSize: 1, maxSize: 1, reset: 'auto' })
  })

  afterEach(() => pool.terminate())

  /** A setting that was made up stays, but empty. */
  const state = () =>
    pool.fetchRow(
      `select current_setting('work_mem') as memory, to_regclass('pg_temp.secret')::text as secret,
         coalesce(current_setting('local.foo', true), '') || coalesce(current_setting('transaction.foo', true), '')
           || coalesce(current_setting('constraints.foo', true), '') as foo,
         (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`,
    )

  it.for(disguised.filter(([, since = 0]) => server.major >= since))('%j', async ([sql]) => {
    await pool.use((connection) => connection.execute(sql))
    expect(await state()).toEqual({ memory: '4MB', secret: null, foo: '', locks: 0 })
    await expect(pool.fetchVal('select lastval()')).rejects.toMatchObject({ sqlState: '55000' })
  })

  it('what EXECUTE of a statement of the cache does', async () => {
    const name = await pool.use(async (connection) => {
      await connection.fetch("select set_config('work_mem', '77MB', false)")
      return connection.fetchVal<string>(
        "select name from pg_prepared_statements where not from_sql and statement like 'select set_config%'",
      )
    })
    await pool.use((connection) => connection.execute(`execute "${name}"`))
    expect(await state()).toMatchObject({ memory: '4MB' })
  })
})
