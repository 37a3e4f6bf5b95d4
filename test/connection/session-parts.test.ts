import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { everyPart, noPart, partsTouchedBy, SessionPart } from '../../src/connection/reset/session-parts.ts'

const { role, settings, cursors, channels, sequences, locks, statements } = SessionPart

const untouched = [
  '',
  ' -- nothing\n /* at /* all */ set x = 1 */ ;;',
  'select 1',
  'SELECT a, b FROM t WHERE id = $1 AND (a IS NULL OR b IN (1, 2)) ORDER BY (a) LIMIT 10',
  "select 'set role x; select f()', $$select f()$$, $tag$ $$ set x = 1 $tag$, E'it\\'s f()'",
  'select "f" from "set" where "select" = 1 -- f()',
  'select count(*) filter (where a > 1) over (partition by b), lower(name), pg_catalog.upper(x) from t',
  'select coalesce(a, now()), a::numeric(10, 2), cast(b as varchar(3)) from t group by (a)',
  'update t set a = $1 where b = any($2) returning id',
  'delete from t using u where t.id = u.id',
  'with x as (select 1 as a) select a from x',
  '(select 1) union all (select 2)',
  'values (1, 2), (3, 4)',
  'begin isolation level serializable; commit',
  "set local work_mem = '8MB'; set transaction read only; set constraints all deferred",
  'show work_mem',
  "notify news, 'f()'",
  'unlisten *',
  'deallocate all',
  "select pg_advisory_xact_lock(1), currval('s'), pg_notify('a', 'b')",
  'lock table t in share mode',
  'select 1from t',
  'select 1.5, .5, 2. , t.a, (t.b).*, a[1] from public.t where id > $1 limit $2',
]

const partly: readonly [sql: string, parts: number][] = [
  ['insert into t (a, b) values ($1, $2) on conflict (a) do update set b = 1', sequences],
  ['insert into public.t(a) select b from u', sequences],
  ['with x as (insert into t values (1) returning id) select id from x', sequences],
  ['update t set id = default', sequences],
  ["select nextval('s'), pg_catalog.setval('s', 1)", sequences],
  ['with x as (select f.a from f) insert into t select a from x', sequences],
  ['with x as (values (1)) merge into t using u on true when matched then do nothing', sequences],
  ['prepare p as insert into t (a) values ($1)', statements | sequences],
  ['merge into t using u on t.id = u.id when matched then do nothing', sequences],
  ['copy t (a, b) from stdin', sequences],
  ['select pg_advisory_lock(1)', locks],
  ['select pg_try_advisory_lock_shared(1, 2)', locks],
  ["set work_mem = '8MB'", settings | role],
  ['SET SESSION statement_timeout TO 1', settings | role],
  ['set role tenant', settings | role],
  ['set session authorization tenant', settings | role],
  ['set session characteristics as transaction read only', settings | role],
  ["set local.foo = 'x'", settings | role],
  ["set session.foo = 'x'", settings | role],
  ["set transaction.foo = 'x'", settings | role],
  ["set constraints.foo = 'x'", settings | role],
  ["set local transaction.foo = 'x'", noPart],
  ['listen news', channels],
  ['declare c cursor with hold for select 1', cursors],
  ['prepare p as select $1::int', statements],
  ['prepare p as insert into t values (1)', statements | sequences],
  ['select 1; listen a; select pg_advisory_lock(1)', channels | locks],
]

const anything = [
  'select f()',
  'select F ()',
  'select f /* x */ (1)',
  'select "f"()',
  'select "lower"(a) from t',
  'select hostile.lower(a) from t',
  'select db.pg_catalog.lower(a) from t',
  'select * from f(1) as t(a)',
  'select distinct on (a) over(b) from t',
  'select 1 from t join u on conflict(x) where true',
  'insert into t values (f(1))',
  'declare c cursor for select f()',
  'prepare p as select f()',
  'execute p(f(1))',
  "select set_config('search_path', 'hostile', false)",
  'select setseed(0.5)',
  "select query_to_xml('set role x', true, true, '')",
  'select a operator(hostile.+) b',
  'do $$ begin end $$',
  'call p()',
  'create temp table x (a int)',
  'select 1 into temp x',
  "load 'auto_explain'",
  'select 1 insert into temp x',
  'select (1) insert into temp x',
  'select 1 as merge into temp x',
  'with y as (select 1 as a) select y.insert into temp x from y',
  'with y as (select 1 as a) select (a) insert into temp x from y',
  'update t set a = 1 returning with (old as o) over(1)',
  'execute p',
  "select ('s'::regclass).nextval",
  'select $1.pg_advisory_lock',
  'select a[1].f from t',
  `select U&"set!005fconfig" uescape '!' ('work_mem', '77MB', false)`,
  'select treat(1::bigint as pg_advisory_lock)',
  'explain analyze select f()',
  'discard all',
  'set search_path = hostile',
  'set local search_path to hostile',
  'set session search_path = hostile',
  'set "search_path" = hostile',
  "set schema 'hostile'",
  'frobnicate',
  "select 'a\\'; set role x; --'",
  "select 'unfinished",
  'select "unfinished',
  'select $$unfinished',
  '/* unfinished',
  `select 1 ${' '.repeat(70_000)}`,
]

describe('R7: by its text', () => {
  it.for(untouched)('%j touches nothing of the session', (sql) => {
    expect(partsTouchedBy(sql)).toBe(noPart)
  })

  it.for(partly)('%j touches what it names', ([sql, parts]) => {
    expect(partsTouchedBy(sql)).toBe(parts)
  })

  it.for(anything)('%j may touch anything', (sql) => {
    expect(partsTouchedBy(sql)).toBe(everyPart)
  })

  it('a command without a text may touch anything', () => {
    expect(partsTouchedBy(undefined)).toBe(everyPart)
  })

  it('long texts are not kept', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const size = 30_000
    const read = (n: number) => partsTouchedBy(`select ${n}${' '.repeat(size)}`)
    read(0)
    collect()
    const before = process.memoryUsage().heapUsed
    for (let n = 1; n <= 500; n++) read(n)
    collect()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan((500 * size) / 3)
  })

  it('a text that is read again touches the same', () => {
    for (let i = 0; i < 5_000; i++) expect(partsTouchedBy(`listen c${i % 2_500}`)).toBe(channels)
  })
})
