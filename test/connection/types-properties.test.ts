import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

const two = (n: number) => String(n).padStart(2, '0')
const whole = (min: number, max: number) => fc.integer({ min, max })
const calendarDay = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((day) => day.toISOString().slice(0, 10))
/** As short as the library writes it: no zeros at the end. */
const fraction = whole(0, 999_999).map((micros) =>
  micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`.replace(/0+$/, ''),
)
const clock = fc
  .tuple(whole(0, 23), whole(0, 59), whole(0, 59), fraction)
  .map(([h, m, s, rest]) => `${two(h)}:${two(m)}:${two(s)}${rest}`)
const bits = fc
  .array(fc.constantFrom('0', '1'), { minLength: 1, maxLength: 80 })
  .map((digits) => digits.join(''))
const octets = fc
  .tuple(whole(0, 255), whole(0, 255), whole(0, 255), whole(0, 255))
  .map((four) => four.join('.'))
const pair = fc.tuple(whole(-1000, 1000), whole(-1000, 1000))

/** Values in the form in which they come back, by type. */
const verbatim: readonly [type: string, values: fc.Arbitrary<unknown>][] = [
  ['bool', fc.boolean()],
  ['int2', whole(-32_768, 32_767)],
  ['oid', whole(0, 2 ** 32 - 1)],
  ['float4', whole(-1_000_000, 1_000_000).map((eighths) => eighths / 8)],
  ['numeric', fc.tuple(fc.bigInt(), whole(1, 9)).map(([digits, last]) => `${digits}.5${last}`)],
  ['date', calendarDay],
  ['time', clock],
  ['timestamp', fc.tuple(calendarDay, clock).map(([day, time]) => `${day}T${time}`)],
  [
    'interval',
    fc
      .tuple(whole(1, 900), whole(1, 11), whole(1, 28), whole(1, 23))
      .map(([y, m, d, h]) => `P${y}Y${m}M${d}DT${h}H`),
  ],
  ['inet', octets],
  ['cidr', octets.map((address) => `${address}/32`)],
  [
    'macaddr',
    fc
      .uint8Array({ minLength: 6, maxLength: 6 })
      .map((bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')),
  ],
  ['varbit', bits],
  ['point', pair.map(([x, y]) => `(${x},${y})`)],
  ['circle', fc.tuple(pair, whole(0, 100)).map(([[x, y], r]) => `<(${x},${y}),${r}>`)],
  ['lseg', fc.tuple(pair, pair).map(([[a, b], [c, d]]) => `[(${a},${b}),(${c},${d})]`)],
  ['int4range', pair.map(([low, size]) => `[${low},${low + 1 + Math.abs(size)})`)],
  ['int4multirange', pair.map(([low, size]) => `{[${low},${low + 1 + Math.abs(size)})}`)],
  ['varchar', fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))],
  ['xml', fc.stringMatching(/^[a-z]{1,8}$/).map((name) => `<${name}/>`)],
  ['mood', fc.constantFrom('sad', "so 'so'", 'happy')],
  ['small', whole(-5, 99)],
  [
    'spot',
    fc.record({
      label: fc.option(fc.string().filter((text) => !text.includes('\0'))),
      at: whole(0, 9),
      mood: fc.constantFrom('sad', null),
    }),
  ],
]

describe.for(servers())(
  'random values on PostgreSQL $major come back as they went, alone and in arrays:',
  (server) => {
    let connection: Connection

    beforeAll(async () => {
      connection = await connect(await freshDatabase(server))
      await connection.execute(`create type mood as enum ('sad', 'so ''so''', 'happy');
      create domain small as int check (value < 100);
      create type spot as (label text, at int, mood mood)`)
    })

    afterAll(() => connection.close())

    it.for(verbatim)('%s', async ([type, values]) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.option(values), { minLength: 1, maxLength: 5 }), async (list) => {
          const row = await connection.fetchRow(`select $1::${type} as one, $2::${type}[] as many`, [
            list[0],
            list,
          ])
          expect(row).toEqual({ one: list[0], many: list })
        }),
        { numRuns: 60 },
      )
    })
  },
)
