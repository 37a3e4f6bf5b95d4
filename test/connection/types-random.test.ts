import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

const digits = (most: number) =>
  `translate(repeat(md5(random()::text), 1 + (random() * ${most})::int), 'abcdef', '012345')`
const strange = `substr(E'a"\\\\,(){} \\n\\t''é😀NULL; \\\\x', 1 + (random() * 20)::int, (random() * 8)::int)`

const verbatim = (text: string): unknown => text
const infinite = (text: string) => text.endsWith('infinity')

/** The server's text, at DateStyle ISO and TimeZone UTC, in the form that the library documents. */
const local = (text: string) => (infinite(text) ? text : text.replace(' ', 'T'))
const utc = (text: string) => (infinite(text) ? text : local(text).replace('+00', 'Z'))
const withMinutes = (text: string) => text.replace(/([+-]\d\d)$/, '$1:00')

interface Kind {
  type: string
  /** SQL for one random value. */
  random: string
  /** What the library should make of the server's text. */
  expected: (text: string) => unknown
  /** SQL for what two values must share to be the same, given one's text; default: the text. */
  same?: (text: string) => string
}

const kinds: Kind[] = [
  { type: 'bool', random: 'random() < 0.5', expected: (text) => text === 'true' },
  { type: 'int2', random: '(random() * 65535 - 32768)::int2', expected: Number },
  { type: 'int4', random: '(random() * 4294967295 - 2147483648)::int8::int4', expected: Number },
  { type: 'int8', random: "('x' || left(md5(random()::text), 16))::bit(64)::int8", expected: BigInt },
  { type: 'oid', random: '(random() * 4294967295)::int8::oid', expected: Number },
  { type: 'float4', random: '((random() - 0.5) * 10 ^ (random() * 70 - 35)::int)::float4', expected: Number },
  { type: 'float8', random: '(random() - 0.5) * 10 ^ (random() * 600 - 300)::int', expected: Number },
  {
    type: 'numeric',
    random: `case when random() < 0.1 then (array['NaN', 'Infinity', '-Infinity', '0', '0.000', '1e300', '1e-300', '10000', '0.0001'])[1 + (random() * 8)::int]::numeric
      else (case when random() < 0.5 then '-' else '' end || ${digits(9)} || '.' || ${digits(9)})::numeric / 10::numeric ^ (random() * 60)::int end`,
    expected: verbatim,
  },
  { type: 'money', random: '(random() * 1e9 - 5e8)::numeric::money', expected: verbatim },
  { type: 'text', random: strange, expected: verbatim },
  { type: 'varchar', random: strange, expected: verbatim },
  { type: 'uuid', random: 'md5(random()::text)::uuid', expected: verbatim },
  {
    type: 'bytea',
    random: "decode(left(md5(random()::text), 2 * (random() * 16)::int), 'hex')",
    expected: (text) => Buffer.from(text.slice(2), 'hex'),
  },
  {
    type: 'json',
    random: `json_build_object(${strange} || 'key', array[${strange}, null], 'n', random())`,
    expected: JSON.parse,
    same: (text) => `(${text})::jsonb`,
  },
  { type: 'jsonb', random: `jsonb_build_array(${strange}, random(), null)`, expected: JSON.parse },
  {
    type: 'date',
    random:
      "case when random() < 0.05 then 'infinity' else date '4713-01-01 BC' + (random() ^ 6 * 2147000000)::int end",
    expected: verbatim,
  },
  {
    type: 'timestamp',
    random:
      "case when random() < 0.05 then '-infinity' else timestamp '4713-01-01 BC' + random() ^ 5 * interval '290000 years' end",
    expected: local,
  },
  {
    type: 'timestamptz',
    random:
      "case when random() < 0.05 then 'infinity' else timestamptz '4713-01-01 BC' + random() ^ 5 * interval '290000 years' end",
    expected: utc,
  },
  {
    type: 'time',
    random: "case when random() < 0.05 then '24:00' else time '00:00' + random() * interval '1 day' end",
    expected: verbatim,
  },
  {
    type: 'timetz',
    random:
      "((time '00:00' + random() * interval '1 day')::text || (case when random() < 0.5 then '+' else '-' end) || (random() * 14)::int || ':' || (random() * 59)::int)::timetz",
    expected: withMinutes,
  },
  {
    type: 'interval',
    random:
      'make_interval(years => (random() * 20 - 10)::int, months => (random() * 24 - 12)::int, days => (random() * 9 - 4)::int, secs => (random() * 1e5 - 5e4) * (random() < 0.8)::int)',
    expected: verbatim,
  },
  {
    type: 'inet',
    random: "set_masklen(inet '0.0.0.0' + (random() * 4294967295)::int8, (random() * 32)::int)",
    // The cast to text, unlike the output, always tells the length of the network.
    expected: (text) => text.replace(/\/32$/, ''),
  },
  { type: 'macaddr', random: 'left(md5(random()::text), 12)::macaddr', expected: verbatim },
  { type: 'bit(9)', random: '(random() * 511)::int::bit(9)', expected: verbatim },
  { type: 'varbit', random: '(random() * 511)::int::bit(9)::varbit', expected: verbatim },
  { type: 'point', random: 'point(random(), random() * 1e9)', expected: verbatim },
  { type: 'box', random: 'box(point(random(), random()), point(0, 0))', expected: verbatim },
  {
    type: 'int4range',
    random: 'int4range((random() * 9)::int, 9 + (random() * 9)::int)',
    expected: verbatim,
  },
  {
    type: 'tstzmultirange',
    random: "tstzmultirange(tstzrange(timestamptz 'epoch' + random() * interval '99 years', null))",
    expected: verbatim,
  },
  { type: 'tsvector', random: "to_tsvector('simple', md5(random()::text) || ' it''s')", expected: verbatim },
  { type: 'mood', random: `(enum_range(null::mood))[1 + (random() * 1.4)::int]`, expected: verbatim },
]

/** Each value as it is, within a composite that is read in binary where its type can be, and within texts. */
const ways = (type: string) =>
  `select v as value, v::text as text, row(v)::alone_${name(type)} as alone, row(v, null)::beside_${name(type)} as beside,
     array[v, null] as list, row(array[row(v, null)]::beside_${name(type)}[])::nested_${name(type)} as nested
   from random_${name(type)}`

const name = (type: string) => type.replace(/\W/g, '')

describe.for(servers())('random values of PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    await adminQuery(dsn, `create type mood as enum ('sad', 'it''s, "ok"')`)
    connection = await connect(dsn, {
      types: { int8: 'bigint', timestamptz: 'string' },
      serverSettings: { TimeZone: 'UTC', IntervalStyle: 'iso_8601' },
    })
  })

  afterAll(async () => {
    await connection.close()
    await adminQuery(server.dsn, `drop database ${new URL(dsn).pathname.slice(1)} with (force)`)
  })

  it.for(kinds)(
    '$type: each is what its text says, wherever it stands, and goes back as it came',
    async (kind) => {
      const { type, random, expected, same = verbatim } = kind
      const id = name(type)
      await connection.execute(`
      create type alone_${id} as (v ${type});
      create type beside_${id} as (v ${type}, r int4range);
      create type nested_${id} as (list beside_${id}[]);
      create table random_${id} as select (${random})::${type} as v from generate_series(1, 200)`)
      type Read = Record<'value' | 'text' | 'alone' | 'beside' | 'list' | 'nested', unknown>
      const rows = await connection.fetch<Read>(ways(type))
      for (const { text, ...row } of rows) {
        const value = expected(text as string)
        expect(row).toEqual({
          value,
          alone: { v: value },
          beside: { v: value, r: null },
          list: [value, null],
          nested: { list: [{ v: value, r: null }] },
        })
      }
      const values = rows.map((row) => row.value)
      const texts = rows.map((row) => row.text)
      expect(
        await connection.fetchVal(
          `select count(*)::int from unnest($1::${type}[], $2::beside_${id}[], $3::text[]) as x(a, v, r, text)
         where ${same('a::text')} = ${same('text')} and ${same('v::text')} = ${same('text')}`,
          [values, values.map((v) => ({ v })), texts],
        ),
      ).toBe(rows.length)
    },
  )

  it('dates and times within text are the same in every time zone and at every IntervalStyle that is read', async () => {
    for (const type of ['date', 'timestamp', 'timestamptz', 'time', 'timetz', 'interval']) {
      const before = await connection.fetch(`select value, alone, beside from (${ways(type)}) as read`)
      for (const zone of ['Asia/Kathmandu', 'America/New_York', 'Africa/Monrovia']) {
        await connection.execute(`set timezone = '${zone}'; set intervalstyle = 'postgres'`)
        expect(await connection.fetch(`select value, alone, beside from (${ways(type)}) as read`)).toEqual(
          before,
        )
      }
      await connection.execute('reset timezone; reset intervalstyle')
    }
  })

  it('arrays of any bounds and dimensions are what the server says of them in JSON', async () => {
    const rows = await connection.fetch<{ value: unknown; json: unknown }>(`
      select value, array_to_json(value) as json from (
        select case (random() * 3)::int
          when 0 then array_fill((random() * 99)::int, array[1 + (random() * 3)::int, 1 + (random() * 3)::int], array[(random() * 9 - 5)::int, 0])
          when 1 then ('[' || n || ':' || n + 1 || ']={' || (random() * 99)::int || ',NULL}')::int[]
          when 2 then '{}'
          else array_fill(null::int, array[1, 2, 1, 2, 1, 2]) end as value
        from (select (random() * 9 - 5)::int as n from generate_series(1, 200)) as bounds) as arrays`)
    for (const { value, json } of rows) expect(value).toEqual(json)
  })

  it('composites of anything, in each other and in arrays, come back as they went', async () => {
    await connection.execute(`
      create type inner_one as (t text, n int, b bytea, m mood);
      create type outer_one as (o inner_one, list inner_one[], grid int[], f float8, r text[])`)
    const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null })
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
    const int4 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    const inner = fc.record({
      t: nullable(text),
      n: nullable(int4),
      b: nullable(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
      m: nullable(fc.constantFrom('sad', 'it\'s, "ok"')),
    })
    const row = fc.array(nullable(int4), { minLength: 2, maxLength: 2 })
    const outer = fc.record({
      o: nullable(inner),
      list: nullable(fc.array(nullable(inner), { maxLength: 4 })),
      grid: nullable(fc.array(row, { minLength: 1, maxLength: 3 })),
      f: nullable(fc.double()),
      r: nullable(fc.array(nullable(text))),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(outer, { maxLength: 3 }), async (values) => {
        const sql = 'select $1::outer_one[] as value, ($1::outer_one[])::text::outer_one[] as again'
        expect(await connection.fetchRow(sql, [values])).toEqual({ value: values, again: values })
      }),
      { numRuns: 200 },
    )
  })
})
