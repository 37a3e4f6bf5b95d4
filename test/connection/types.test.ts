import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

/** What the server says the value is, asked by another way: its text. */
const asText = (type: string) => `select $1::${type} as value, ($1::${type})::text as text`

describe.for(servers())('values on PostgreSQL $major', (server) => {
  let connection: Connection

  beforeAll(async () => {
    connection = await connect(await freshDatabase(server))
    await connection.execute(
      "create type mood as enum ('sad', 'happy'); create domain small as int check (value < 100)",
    )
  })

  afterAll(() => connection.close())

  it.for<[type: string, value: unknown, text?: string]>([
    ['bool', true, 'true'],
    ['bool', false, 'false'],
    ['int2', -32768],
    ['int4', 2147483647],
    ['int4', -2147483648],
    ['int8', Number.MAX_SAFE_INTEGER],
    ['int8', Number.MIN_SAFE_INTEGER],
    ['oid', 4294967295],
    ['float4', 0.5],
    ['float8', 0.1],
    ['float8', Number.NaN, 'NaN'],
    ['float8', Number.NEGATIVE_INFINITY, '-Infinity'],
    ['float8', -0, '-0'],
    ['numeric', '123456789012345678901234567890.123456789', '123456789012345678901234567890.123456789'],
    ['numeric', 'NaN', 'NaN'],
    ['text', '', ''],
    ['text', "O'Reilly \\ 😀 \n", "O'Reilly \\ 😀 \n"],
    ['varchar', 'plain', 'plain'],
    ['name', 'plain', 'plain'],
    ['uuid', '0f0e0d0c-0b0a-0908-0706-050403020100', '0f0e0d0c-0b0a-0908-0706-050403020100'],
    ['bytea', Buffer.from([0, 1, 127, 128, 255]), '\\x00017f80ff'],
    ['json', { a: [1, null, 'x'] }, '{"a":[1,null,"x"]}'],
    ['jsonb', ['x', { b: true }], '["x", {"b": true}]'],
    ['jsonb', 'a string', '"a string"'],
    ['timestamptz', new Date('2026-01-02T03:04:05.678Z'), '2026-01-02 03:04:05.678+00'],
    ['timestamptz', new Date('0044-03-15T12:00:00.000Z'), '0044-03-15 12:00:00+00'],
    ['timestamptz', Number.POSITIVE_INFINITY, 'infinity'],
    ['timestamp', '2026-01-02T03:04:05.678901', '2026-01-02 03:04:05.678901'],
    ['date', '2026-02-28', '2026-02-28'],
    ['date', '2024-02-29', '2024-02-29'],
    ['time', '23:59:59.999999', '23:59:59.999999'],
    ['interval', 'P1Y2M3DT4H5M6.7S', '1 year 2 mons 3 days 04:05:06.7'],
    ['inet', '192.168.0.1/24', '192.168.0.1/24'],
    ['inet', '::1', '::1/128'],
    ['mood', 'happy', 'happy'],
    ['small', 42, '42'],
    ['int4range', '[1,5)', '[1,5)'],
    ['point', '(1,2)', '(1,2)'],
    ['int4[]', [1, null, 3], '{1,NULL,3}'],
    ['int4[]', [], '{}'],
    ['text[]', ['a,b', 'c"d', '', 'null', '\\'], '{"a,b","c\\"d","","null","\\\\"}'],
    [
      'int4[]',
      [
        [1, 2],
        [3, 4],
      ],
      '{{1,2},{3,4}}',
    ],
    ['uuid[]', ['0f0e0d0c-0b0a-0908-0706-050403020100'], '{0f0e0d0c-0b0a-0908-0706-050403020100}'],
    ['timestamptz[]', [new Date(0), null], '{"1970-01-01 00:00:00+00",NULL}'],
    ['jsonb[]', [{ a: 1 }, [1]], '{"{\\"a\\": 1}",[1]}'],
    ['bool[]', [true, false], '{t,f}'],
    ['float8[]', [0.1, Number.NaN], '{0.1,NaN}'],
    ['int8[]', [1, Number.MAX_SAFE_INTEGER], '{1,9007199254740991}'],
    ['numeric[]', ['1.50', 'NaN'], '{1.50,NaN}'],
    ['bytea[]', [Buffer.from('a')], '{"\\\\x61"}'],
  ])('%s keeps %j, and the server has the same', async ([type, value, text]) => {
    const row = await connection.fetchRow<{ value: unknown; text: string }>(asText(type), [value])
    expect(row!.value).toEqual(value)
    expect(row!.text).toBe(text ?? String(value))
  })

  it('NULL is null both ways, for every type', async () => {
    for (const type of ['int4', 'text', 'jsonb', 'timestamptz', 'int4[]', 'mood']) {
      expect(await connection.fetchRow(asText(type), [null])).toEqual({ value: null, text: null })
    }
  })

  const properties: readonly [type: string, values: fc.Arbitrary<unknown>][] = [
    ['int4', fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
    ['int8', fc.maxSafeInteger()],
    ['float8', fc.double()],
    ['text', fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))],
    ['bytea', fc.uint8Array().map((bytes) => Buffer.from(bytes))],
    ['uuid', fc.uuid()],
    [
      'timestamptz',
      fc.date({
        min: new Date('0001-01-01T00:00:00Z'),
        max: new Date('9999-12-31T23:59:59Z'),
        noInvalidDate: true,
      }),
    ],
    ['int4[]', fc.array(fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })))],
    ['text[]', fc.array(fc.option(fc.string().filter((text) => !text.includes('\0'))))],
  ]

  it.for(properties)(
    '%s: random values come back as they went, and equal to the text of the server read again',
    async ([type, values]) => {
      await fc.assert(
        fc.asyncProperty(values, async (value) => {
          const row = await connection.fetchRow<{ value: unknown; again: unknown; same: boolean }>(
            `select $1::${type} as value, ($1::${type})::text::${type} as again, $1::${type} is not distinct from ($1::${type})::text::${type} as same`,
            [value],
          )
          expect(row!.value).toEqual(value)
          expect(row!.again).toEqual(value)
          expect(row!.same).toBe(true)
        }),
        { numRuns: 150 },
      )
    },
  )

  it('json: random values come back as they went', async () => {
    const values = fc
      .jsonValue()
      .map((value) => JSON.parse(JSON.stringify(value)))
      .filter((value) => value !== null && !JSON.stringify(value).includes('\\u0000'))
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        expect(await connection.fetchVal('select $1::json', [value])).toEqual(value)
        expect(
          await connection.fetchVal('select $1::jsonb = $2::text::jsonb', [value, JSON.stringify(value)]),
        ).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it('what the session says of dates and numbers does not change how they are read', async () => {
    const sql =
      "select '2026-01-02'::date as d, '2026-01-02 03:04:05.6+00'::timestamptz as t, '1 day'::interval as i, 0.1::float8 as f, '\\x01'::bytea as b"
    const before = await connection.fetchRow(sql)
    await connection.execute(
      "set datestyle = 'German, DMY'; set timezone = 'Asia/Kathmandu'; set intervalstyle = 'sql_standard'; set extra_float_digits = -5; set bytea_output = 'escape'",
    )
    expect(await connection.fetchRow(sql)).toEqual(before)
    await connection.execute('reset all')
  })

  it('int8 and timestamptz are read as the option types says', async () => {
    const exact = await connect(server.dsn, { types: { int8: 'bigint', timestamptz: 'string' } })
    expect(
      await exact.fetchRow(
        "select 9223372036854775807 as n, '2026-01-02 03:04:05.678901Z'::timestamptz as t",
      ),
    ).toEqual({
      n: 9223372036854775807n,
      t: '2026-01-02T03:04:05.678901Z',
    })
    await exact.close()
  })
})
