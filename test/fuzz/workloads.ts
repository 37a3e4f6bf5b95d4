import { Readable } from 'node:stream'
import type { Connection } from '../../src/connection/connection.ts'
import { resetReleased } from '../../src/connection/reset/reset.ts'
import { everyPart } from '../../src/connection/reset/session-parts.ts'
import type { Session } from '../../src/connection/session.ts'
import type { SessionOptions } from '../../src/connection/session-options.ts'

/** What a workload works with. */
export interface Bench {
  connection: Connection
  session: Session
  /** Makes one call, keeps what became of it, and goes on whatever that is. */
  call(work: () => Promise<unknown>): Promise<void>
}

export interface Workload {
  options?: SessionOptions
  /** Run before the recording by an administrator. */
  prepare?: string
  run(bench: Bench): Promise<void>
}

const everyType = `select 1::int2 as a, 2::int4 as b, 3::int8 as c, 1.5::float4 as d, 2.5::float8 as e, 12345.678::numeric as f,
  true as g, 'text'::text as h, 'x'::char(3) as i, '{"k":[1,null]}'::jsonb as j, '[1]'::json as k, '\\x00ff'::bytea as l,
  '2026-01-02 03:04:05.678901+00'::timestamptz as m, '2026-01-02 03:04:05'::timestamp as n, '2026-01-02'::date as o,
  '04:05:06.7'::time as p, '04:05:06+01'::timetz as q, '1 year 2 mons 3 days 04:05:06.7'::interval as r,
  '00112233-4455-6677-8899-aabbccddeeff'::uuid as s, '10.0.0.1/8'::inet as t, null::int4 as u, 26::oid as v,
  array[1, null, 3] as w, array[['a', 'b'], ['c"', null]] as x, array[1.5, 'NaN', -0.001]::numeric[] as y,
  array['2026-01-02 03:04:05+00', 'infinity']::timestamptz[] as z, '[2:3]={7,8}'::int4[] as aa, '{}'::text[] as ab,
  int4range(1, 5) as ac, 'infinity'::timestamptz as ad, '{10.0.0.1,::1}'::inet[] as ae, point(1, 2) as af`

/** What a client does in a recording, and does again when the recording is played. */
export const workloads = {
  types: {
    run: async ({ connection, call }) => {
      await call(() => connection.fetch(everyType))
      await call(() => connection.query(everyType, [], { rowMode: 'array' }))
      await call(() =>
        connection.fetchRow('select $1::int8 as a, $2::text[] as b, $3::jsonb as c, $4::timestamptz as d', [
          9,
          ['a', null],
          { k: 1 },
          new Date(0),
        ]),
      )
    },
  },
  ownTypes: {
    options: { types: { int8: 'bigint', timestamptz: 'string' } },
    prepare: `create type mood as enum ('sad', 'ok'); create domain posint as int4 check (value > 0);
      create type place as (street text, number posint, mood mood, at timestamptz, tags text[]);
      create type nested as (home place, others place[], price numeric)`,
    run: async ({ connection, call }) => {
      const value = `row(row('a "b", (c)', 7, 'ok', '2026-01-02 03:04:05+00', '{x,NULL}')::place,
        array[row('d', 1, 'sad', null, null)]::place[], 1.50)::nested`
      await call(() =>
        connection.fetch(`select 'ok'::mood as a, 5::posint as b, ${value} as c, 9::int8 as d`),
      )
      await call(() => connection.fetchVal('select ($1::place).street', [['s', 1, 'ok', null, ['t']]]))
      await call(() => connection.fetch(`select array['sad', 'ok']::mood[] as a, array[${value}] as b`))
    },
  },
  manyRows: {
    run: async ({ connection, call }) => {
      const rows = `select i, repeat('x', i % 90) as t, case when i % 7 = 0 then null else i * 1.5 end as n,
        '2026-01-01'::timestamptz + i * interval '1 hour' as at from generate_series(1, 120) i`
      await call(() => connection.fetch(rows))
      await call(() => connection.fetchRow(rows))
      await call(() => connection.fetchVal(`select repeat('long', 3000)`))
    },
  },
  errors: {
    prepare: `create table things (id int primary key, name text not null check (name <> ''))`,
    run: async ({ connection, call }) => {
      await call(() => connection.execute('selekt 1'))
      await call(() => connection.execute(`insert into things values (1, 'a')`))
      await call(() => connection.execute('insert into things values ($1, $2)', [1, 'b']))
      await call(() => connection.fetch('select 1 / $1::int4', [0]))
      await call(() => connection.fetch('select 1 / (5 - i) from generate_series(1, 9) i'))
      await call(() =>
        connection.execute(`do $$ begin raise exception 'm' using detail = 'd', hint = 'h', errcode = 'P0099',
          schema = 's', table = 't', column = 'c', datatype = 'y', constraint = 'n'; end $$`),
      )
      await call(() => connection.fetchVal('select 9223372036854775807'))
      await call(() => connection.fetchVal('select 1'))
    },
  },
  talkative: {
    run: async ({ connection, call }) => {
      connection.addLogListener(() => {})
      await call(() => connection.addListener('news', () => {}))
      await call(() => connection.execute(`set timezone to 'Asia/Kathmandu'`))
      await call(() => connection.execute(`do $$ begin raise notice 'n'; raise warning 'w'; end $$`))
      await call(() =>
        connection.execute(`select pg_notify('news', 'payload'), set_config('application_name', 'x', false)`),
      )
      await call(() => connection.execute('begin; commit; commit; select 1'))
    },
  },
  copyOut: {
    run: async ({ connection, call }) => {
      const chunks: Buffer[] = []
      const output = (chunk: Buffer) => void chunks.push(chunk)
      await call(() =>
        connection.copyFromQuery('select i, repeat($1, 40) from generate_series(1, 150) i', ['x'], {
          output,
        }),
      )
      await call(() => connection.copyFromTable('pg_am', { output }))
      await call(() =>
        connection.copyFromQuery('select 1 / (3 - i) from generate_series(1, 5) i', [], { output }),
      )
      await call(() => connection.execute('copy (select 1) to stdout'))
      await call(() => connection.fetchVal('select 1'))
    },
  },
  copyIn: {
    prepare: 'create table loaded (a int4, b text, c timestamptz)',
    run: async ({ connection, call }) => {
      await call(() =>
        connection.copyToTable('loaded', { source: Readable.from(['1\ta\t\\N\n', '2\tb\t\\N\n']) }),
      )
      await call(() =>
        connection.copyRecordsToTable('loaded', {
          records: [
            [1, 'a', new Date(0)],
            [2, null, null],
          ],
        }),
      )
      await call(() => connection.copyToTable('loaded', { source: ['no number\tb\t\\N\n'] }))
      await call(() => connection.execute('copy loaded from stdin'))
      await call(() => connection.fetchVal('select count(*)::int4 from loaded'))
    },
  },
  cursor: {
    run: async ({ connection, call }) => {
      await call(() =>
        connection.transaction(async (tx) => {
          const seen: unknown[] = []
          for await (const row of tx.cursor('select i from generate_series(1, 8) i', [], { prefetch: 3 }))
            seen.push(row)
          const cursor = tx.cursor('select i, i::text as t from generate_series(1, $1) i', [50])
          seen.push(await cursor.fetch(2), await cursor.forward(5), await cursor.fetchRow())
          await cursor.close()
          return seen
        }),
      )
    },
  },
  transactions: {
    prepare:
      'create table ledger (id int primary key, peer int references ledger deferrable initially deferred)',
    run: async ({ connection, call }) => {
      await call(() =>
        connection.transaction(
          async (tx) => {
            await tx.execute('insert into ledger values ($1)', [1])
            await tx
              .transaction((inner) => inner.execute('insert into ledger values ($1)', [1]))
              .catch(() => {})
            return tx.execute('insert into ledger values ($1)', [2])
          },
          { isolation: 'serializable' },
        ),
      )
      await call(() => connection.transaction((tx) => tx.execute('insert into ledger values (3, 99)')))
      await call(() => connection.transaction((tx) => tx.execute('select nonsense').catch(() => 'caught')))
      await call(() =>
        connection.transaction((tx) => tx.fetchVal('select count(*) from ledger'), { readOnly: true }),
      )
    },
  },
  severalStatements: {
    run: async ({ connection, call }) => {
      await call(() =>
        connection.execute('create temp table t (a int); insert into t values (1), (2); select * from t'),
      )
      await call(() => connection.execute(''))
      await call(() => connection.execute('select 1; select 1 / 0; select 2'))
      await call(() => connection.fetch('-- nothing'))
      await call(() => connection.query('update t set a = a + 1'))
    },
  },
  pipelined: {
    options: { statementCacheSize: 2 },
    run: async ({ connection, call }) => {
      const read = (value: number) => call(() => connection.fetchVal('select $1::int4 + 1', [value]))
      await read(0)
      await Promise.all([1, 2, 3, 4].map(read))
      await Promise.all([call(() => connection.fetchVal('select 1 / $1::int4', [0])), read(5), read(6)])
      await call(() => connection.fetchVal('select 2'))
      await call(() => connection.fetchVal('select 3'))
      await call(async () => {
        const statement = await connection.prepare('select $1::int4 as a')
        const rows = [await statement.fetch([1]), await statement.fetchVal([2])]
        await statement.close()
        return rows
      })
      await call(() => connection.executeMany('select $1::int4', [[1], [2], [3]]))
    },
  },
  noCache: {
    options: { statementCacheSize: 0 },
    run: async ({ connection, call }) => {
      await Promise.all(
        [1, 2].map((n) => call(() => connection.fetch('select $1::int4 as n, $2 as t', [n, 'x']))),
      )
      await call(() => connection.executeMany('select $1::int4', [[1], [2]]))
    },
  },
  reset: {
    run: async ({ connection, session, call }) => {
      await call(() =>
        connection.execute(`begin; prepare mine as select 1; listen news; set role pg_monitor`),
      )
      await call(async () => resetReleased(session, everyPart, { limit: 0, mayGoAhead: false }, () => {}))
      await call(() => connection.fetchVal('select current_user::text'))
      await call(() => connection.close())
    },
  },
  resetAhead: {
    run: async ({ connection, session, call }) => {
      const user = 'select current_user::text'
      /** As a pool's owners do one after the other: the reset of what `sql` left is written with what comes behind. */
      const behind = async (sql: string, next: () => Promise<unknown>) => {
        await call(() => connection.execute(sql))
        const reset = call(async () =>
          resetReleased(session, everyPart, { limit: 10_000, mayGoAhead: true }, () => {}),
        )
        const called = call(async () => {
          const value = await next()
          if (value !== undefined && session.isResetting)
            throw new Error('an answer was given before the reset had succeeded')
          return value
        })
        await Promise.all([reset, called])
      }
      await behind('prepare mine as select 1; set role pg_monitor', () => connection.fetchVal(user))
      await behind("set work_mem = '77MB'", () => connection.fetchVal(user))
      await behind('select 1', () => connection.fetch('select 1 / $1::int4', [0]))
      await behind(`do $$ begin execute 'deallocate all'; end $$`, () => connection.fetchVal(user))
      await behind('select 1', () =>
        Promise.all([connection.fetchVal(user), connection.execute('select 2'), connection.fetchVal(user)]),
      )
      await behind('select 1', () => connection.close())
    },
  },
} as const satisfies Record<string, Workload>

export type WorkloadName = keyof typeof workloads
