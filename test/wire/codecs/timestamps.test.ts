import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inText } from '../../../src/wire/codecs/codec.ts'
import { TypeConfiguration, TypeRegistry } from '../../../src/wire/codecs/index.ts'
import { codecOf, decode, encode, int32s, int64 } from './bytes.ts'

const epoch = Date.UTC(2000, 0, 1)
const precise = new TypeRegistry(new TypeConfiguration({ timestamptz: 'string' }))
const infinity = int64(2n ** 63n - 1n)
const minusInfinity = int64(-(2n ** 63n))

/** What the server sends for the instant `ms` milliseconds and `micros` microseconds after 1970. */
function instant(ms: number, micros = 0): Buffer {
  return int64(BigInt(ms - epoch) * 1000n + BigInt(micros))
}

const lastMicro = int64(9_223_371_331_199_999_999n)
const firstMicro = int64(-211_813_488_000_000_000n)

describe('timestamptz as a Date', () => {
  const codec = codecOf('timestamptz')

  it('is the instant, rounded down to the millisecond', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -210_866_803_200_000, max: 8_640_000_000_000_000 }),
        fc.integer({ min: 0, max: 999 }),
        (ms, micros) => {
          expect(decode(codec, instant(ms, micros))).toEqual(new Date(ms))
        },
      ),
      {
        examples: [
          [0, 999],
          [-1, 999],
          [epoch - 1, 999],
          [Date.UTC(2270, 1, 1) - 1, 999],
          [8.64e15, 0],
        ],
      },
    )
  })

  it('the infinities are numbers', () => {
    expect(decode(codec, infinity)).toBe(Number.POSITIVE_INFINITY)
    expect(decode(codec, minusInfinity)).toBe(Number.NEGATIVE_INFINITY)
  })

  it('what a Date cannot be is refused with the option that helps', () => {
    for (const bytes of [lastMicro, int64(2n ** 63n - 2n), instant(8.64e15 + 1), instant(-8.64e15 - 1)]) {
      expect(() => decode(codec, bytes)).toThrow("types: { timestamptz: 'string' }")
    }
  })
})

describe('timestamptz as a string', () => {
  const codec = codecOf('timestamptz', precise)

  it('keeps microseconds, in UTC', () => {
    expect(decode(codec, instant(Date.UTC(2026, 0, 2, 3, 4, 5, 678), 901))).toBe(
      '2026-01-02T03:04:05.678901Z',
    )
    expect(decode(codec, instant(Date.UTC(2026, 0, 2, 3, 4, 5)))).toBe('2026-01-02T03:04:05Z')
  })

  it('agrees with Date wherever both can tell', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(-62_135_596_800_000), max: new Date(253_402_300_799_999) }),
        (date) => {
          fc.pre(!Number.isNaN(date.getTime()))
          const text = decode(codec, instant(date.getTime())) as string
          expect(new Date(text)).toEqual(date)
          expect(text.slice(0, 19)).toBe(date.toISOString().slice(0, 19))
        },
      ),
    )
  })

  it('reaches from the first to the last microsecond of PostgreSQL', () => {
    expect(decode(codec, firstMicro)).toBe('4714-11-24T00:00:00Z BC')
    expect(decode(codec, lastMicro)).toBe('294276-12-31T23:59:59.999999Z')
    expect(decode(codec, infinity)).toBe('infinity')
    expect(decode(codec, minusInfinity)).toBe('-infinity')
  })
})

describe('timestamptz going in', () => {
  const text = (value: unknown) => encode(codecOf('timestamptz'), value).toString()

  it('a Date is its microseconds since 2000, whatever its year', () => {
    for (const time of [
      Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      -1,
      946_684_800_000,
      -62_168_428_800_000,
      8.64e15,
    ]) {
      const bytes = encode(codecOf('timestamptz'), new Date(time))
      expect(bytes.readBigInt64BE()).toBe(BigInt(time - 946_684_800_000) * 1000n)
    }
  })

  it('within a text a Date is written in UTC, whatever its year', () => {
    const text = (value: unknown) => encode(inText(codecOf('timestamptz')), value).toString()
    expect(text(new Date('2026-01-02T03:04:05.678Z'))).toBe('2026-01-02T03:04:05.678Z')
    expect(text(new Date(-1))).toBe('1969-12-31T23:59:59.999Z')
    expect(text(new Date('-000043-03-15T00:00:00Z'))).toBe('0044-03-15T00:00:00Z BC')
    expect(text(new Date(8.64e15))).toBe('275760-09-13T00:00:00Z')
  })

  it('the infinities and strings are taken', () => {
    expect(text(Number.POSITIVE_INFINITY)).toBe('infinity')
    expect(text(Number.NEGATIVE_INFINITY)).toBe('-infinity')
    expect(text('2026-01-02T03:04:05.678901+01:00')).toBe('2026-01-02T03:04:05.678901+01:00')
  })

  it('an invalid Date, a Date before 4714 BC and other numbers are refused', () => {
    expect(() => text(new Date(Number.NaN))).toThrow(/got an invalid Date/)
    expect(() => text(new Date(-210_866_803_200_001))).toThrow(/from 4714-11-24 BC on/)
    for (const value of [0, Date.now(), Number.NaN, true, {}])
      expect(() => text(value)).toThrow(/^expected a Date/)
  })
})

describe('timestamp and date', () => {
  it('have no zone', () => {
    expect(decode(codecOf('timestamp'), instant(Date.UTC(2026, 0, 2, 3, 4, 5, 678), 901))).toBe(
      '2026-01-02T03:04:05.678901',
    )
    expect(decode(codecOf('timestamp'), instant(Date.UTC(2024, 1, 29), 1))).toBe('2024-02-29T00:00:00.000001')
    expect(decode(codecOf('timestamp'), instant(Date.UTC(2024, 1, 29), 500_000))).toBe(
      '2024-02-29T00:00:00.5',
    )
    expect(decode(codecOf('timestamp'), infinity)).toBe('infinity')
  })

  it.each([
    ['2000-01-01', 0],
    ['1999-12-31', -1],
    ['2000-02-29', 59],
    ['1900-03-01', -36_465],
    ['0001-01-01', -730_119],
    ['0001-12-31 BC', -730_120],
    ['0001-02-29 BC', -730_426],
    ['4714-11-24 BC', -2_451_545],
    ['10000-01-01', 2_921_940],
    ['5874897-12-31', 2_145_031_948],
    ['infinity', 0x7fff_ffff],
    ['-infinity', -0x8000_0000],
  ])('the date %s is read', (text, day) => {
    expect(decode(codecOf('date'), int32s(day))).toBe(text)
  })

  it('every day that Date knows too has the same name', () => {
    fc.assert(
      fc.property(fc.integer({ min: -730_119, max: 2_921_939 }), (day) => {
        const name = new Date(epoch + day * 86_400_000).toISOString().slice(0, 10)
        expect(decode(codecOf('date'), int32s(day))).toBe(name)
      }),
    )
  })

  it.each(['timestamp', 'date', 'time', 'timetz', 'interval'] as const)(
    '%s takes strings, and no Date',
    (name) => {
      expect(encode(codecOf(name), '2026-01-02').toString()).toBe('2026-01-02')
      expect(() => encode(codecOf(name), new Date())).toThrow(
        /no wall-clock time without a time zone.*toISOString/,
      )
      expect(() => encode(codecOf(name), 5)).toThrow(/^expected an ISO string/)
    },
  )
})
