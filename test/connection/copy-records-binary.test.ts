import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fitBinary } from '../../src/connection/copy/copy-records.ts'
import { type Connection, connect } from '../../src/index.ts'
import { builtInTypes } from '../../src/wire/codecs/catalog.ts'
import { TypeConfiguration, TypeRegistry } from '../../src/wire/codecs/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

const registry = new TypeRegistry(new TypeConfiguration())

function fits(type: string, records: unknown, known = registry) {
  const [oid] = builtInTypes.find(([, , name]) => name === type)!
  return fitBinary([{ name: type, codec: known.codec(oid) }], records)
}

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: length })
const decimals = fc
  .tuple(fc.constantFrom('', '-', '+'), digits(30), fc.option(digits(20), { nil: '' }))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction && `.${fraction}`}`)
const time = fc.date({
  min: new Date(-62_135_596_800_000),
  max: new Date(253_402_214_400_000),
  noInvalidDate: true,
})
const isoStrings = fc
  .tuple(
    time,
    fc.constantFrom('T', ' '),
    fc.nat(999_999),
    fc.constantFrom('Z', '+00', '-08', '+05:30', '-1145'),
  )
  .map(
    ([date, between, micros, zone]) =>
      `${date.toISOString().slice(0, 10)}${between}${date.toISOString().slice(11, 19)}.${String(micros).padStart(6, '0')}${zone}`,
  )
const uuids = fc
  .uuid()
  .chain((uuid) =>
    fc.constantFrom(
      uuid,
      uuid.toUpperCase(),
      uuid.replaceAll('-', ''),
      `{${uuid}}`,
      uuid.replaceAll('-', '').replace(/(.{4})(?=.)/g, '$1-'),
    ),
  )

const edges: Record<string, unknown[]> = {
  bool: [true, false],
  int2: [-32_768, 32_767, '12', 7n],
  int4: [-2_147_483_648, 2_147_483_647],
  int8: [-(2n ** 63n), 2n ** 63n - 1n, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, '-1'],
  float4: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0.1, 3.4e38],
  float8: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324, 1.7e308],
  numeric: [
    'NaN',
    'Infinity',
    '-Infinity',
    '-0',
    '0.000',
    '00012.50',
    '10000',
    '0.00010000',
    -1.5,
    2n ** 200n,
    0,
  ],
  text: ['', '\\N', 'a\tb\n', 'ä😀', 5],
  varchar: ['x'.repeat(70_000)],
  bytea: [Buffer.alloc(0), Buffer.from([0, 255, 92])],
  json: [{ a: [1, null] }, 'text', 7],
  jsonb: [{ a: [1, null] }, 'text', 7],
  uuid: ['{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', 'a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11'],
  date: ['infinity', '-infinity', '0001-01-01', '1999-12-31', '2000-02-29', '9999-12-31'],
  timestamp: [
    ...['infinity', '-infinity', '0001-01-01T00:00:00', '1999-12-31 23:59:59.999999', '2026-01-02 03:04'],
    new Date(1).toISOString(),
  ],
  timestamptz: [
    ...[new Date(-210_866_803_200_000), new Date(8.64e15), new Date(-1), new Date(1_700_000_000_123)],
    ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 'infinity', '-infinity'],
    ...['2026-01-02T03:04:05.678901Z', '1999-12-31 23:59:59.999999+15:59', '0001-01-01T00:00:00-07'],
  ],
}

const random: Record<string, fc.Arbitrary<unknown>> = {
  numeric: fc.oneof(decimals, fc.integer(), fc.bigInt()),
  uuid: uuids,
  date: time.map((date) => date.toISOString().slice(0, 10)),
  timestamp: isoStrings,
  timestamptz: fc.oneof(isoStrings, time),
  int8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float8: fc.double(),
  float4: fc.float(),
}

describe.for(servers())('copyRecordsToTable in binary on PostgreSQL $major', (server) => {
  let connection: Connection

  beforeAll(async () => {
    // The tables are made anew with other types: nothing is kept of statements on them.
    connection = await connect(await freshDatabase(server), { statementCacheSize: 0 })
    await connection.execute(`set timezone = 'Asia/Kathmandu'; set datestyle = 'SQL, DMY'`)
  })

  afterAll(() => connection.terminate())

  /** What the server has of values that came as parameters, each of which it read as it is documented, and by COPY. */
  async function both(type: string, values: readonly unknown[]) {
    await connection.execute(
      `drop table if exists copied, inserted; create table copied (place int, v ${type}); create table inserted (place int, v ${type})`,
    )
    const records = values.map((value, place) => [place, value])
    expect(
      await fits(
        type,
        values.map((value) => [value]),
      ),
    ).toBe(true)
    await connection.copyRecordsToTable('copied', { records })
    await connection.executeMany('insert into inserted values ($1, $2)', records)
    const rows = (table: string) =>
      connection.fetch(`select place, v::text from ${table} order by place`, [], { rowMode: 'array' })
    return [await rows('copied'), await rows('inserted')] as const
  }

  it.for(Object.keys(edges))('the extremes of %s arrive as they do as arguments', async (type) => {
    const [copied, inserted] = await both(type, [...edges[type]!, null])
    expect(copied).toEqual(inserted)
  })

  it.for(Object.keys(random))('any %s arrives as it does as an argument', async (type) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(random[type]!), { minLength: 1, maxLength: 50 }),
        async (values) => {
          const [copied, inserted] = await both(type, values)
          expect(copied).toEqual(inserted)
        },
      ),
      { numRuns: 20 },
    )
  })

  it.for([
    ['timestamptz', '2026-01-02 03:04:05', 'today', 'Jan 2 2026 UTC', '0044-03-15 00:00:00+00 BC'],
    ['timestamp', 'today', '2026-01-02T24:00:00', '10000-01-01 00:00:00', '2026-01-02 03:04:05.1234567'],
    ['date', 'today', '02/01/2026', '0044-03-15 BC', '2026-01-02T03:04:05Z'],
    ['numeric', '1e3', ' 7 ', '.5', 1e21],
  ] as [string, ...unknown[]][])(
    'what only the server can read of %s is left to it',
    async ([type, ...values]) => {
      await connection.execute(`drop table if exists copied; create table copied (v ${type})`)
      for (const value of values) {
        expect(await fits(type, [[null], [value]])).toBe(false)
        await connection.copyRecordsToTable('copied', { records: [[null], [value]] })
        expect(
          await connection.fetchVal('select count(*)::int from copied where v = $1', [value]),
          String(value),
        ).toBe(1)
        await connection.execute('truncate copied')
      }
    },
  )

  it.for([
    ['int2', 32_768, /an integer from -32768 to 32767/],
    ['int8', 2n ** 63n, /an integer from -2\^63/],
    ['float4', 1e39, /within the range of float4/],
    ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1', /expected a UUID, got a string of 35 characters/],
    ['uuid', 'g0eebc999c0b4ef8bb6d6bb9bd380a11', /expected a UUID/],
    ['uuid', '{a0eebc999c0b4ef8bb6d6bb9bd380a11', /expected a UUID/],
    ['uuid', 7, /expected a UUID as a string/],
    ['timestamptz', new Date(Number.NaN), /expected a valid Date/],
    ['timestamptz', 7, /expected a Date, ±Infinity or an ISO string/],
    ['timestamp', new Date(0), /a Date has no wall-clock time/],
    ['date', 5, /expected an ISO string/],
    ['numeric', true, /expected a decimal string, a number or a bigint/],
  ] as [string, unknown, RegExp][])('%s: %o is refused by its place', async ([type, value, message]) => {
    await connection.execute(`drop table if exists copied; create table copied (v ${type})`)
    const records = [[null], [value]]
    expect(await fits(type, records)).toBe(true)
    await expect(connection.copyRecordsToTable('copied', { records })).rejects.toMatchObject({
      code: 'ROCKPOOL_DATA',
      index: 1,
      message: expect.stringMatching(
        new RegExp(`record at index 1, column "v" \\(${type}\\): .*${message.source}`),
      ),
    })
    expect(await connection.fetchVal('select count(*)::int from copied')).toBe(0)
  })

  it('of records that are still to come it cannot be told that they fit', async () => {
    expect(await fits('timestamptz', [[new Date()]].values())).toBe(false)
    expect(await fits('uuid', [['x']].values())).toBe(true)
    expect(await fits('inet', [['::1']])).toBe(false)
    const own = new TypeRegistry(new TypeConfiguration({ date: { encode: String }, numeric: 'text' }))
    expect(await fits('date', [['2026-01-02']], own)).toBe(false)
    expect(await fits('numeric', [['1']], own)).toBe(false)
  })

  it('a value that only the server can read, come late, is refused by its place', async () => {
    await connection.execute('drop table if exists copied; create table copied (v timestamptz)')
    const records: unknown[][] = Array.from({ length: 70_000 }, () => [new Date(0)])
    const copied = connection.copyRecordsToTable('copied', { records, columns: ['v'] })
    await connection.fetchVal('select 1')
    await expect(copied).resolves.toBe('COPY 70000')
    const changing = Object.defineProperty([new Date(0)], 0, {
      get: (() => {
        let asked = 0
        return () => (asked++ === 0 ? new Date(0) : 'today')
      })(),
    })
    await expect(
      connection.copyRecordsToTable('copied', { records: [changing], columns: ['v'] }),
    ).rejects.toThrow('the record at index 0, column "v" (timestamptz): expected an ISO string')
  })
})
