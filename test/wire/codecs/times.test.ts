import { describe, expect, it } from 'vitest'
import { ConnectionLostError } from '../../../src/errors.ts'
import { codecOf, decode, int32s, int64 } from './bytes.ts'

const hour = 3_600_000_000n

describe('time', () => {
  it.each([
    [0n, '00:00:00'],
    [4n * hour + 306_700_000n, '04:05:06.7'],
    [24n * hour - 1n, '23:59:59.999999'],
    [24n * hour, '24:00:00'],
  ])('%s µs after midnight are %s', (micros, text) => {
    expect(decode(codecOf('time'), int64(micros))).toBe(text)
  })

  it('a time outside the day is a broken protocol', () => {
    for (const micros of [-1n, 24n * hour + 1_000_000n, 2n ** 63n - 1n]) {
      expect(() => decode(codecOf('time'), int64(micros))).toThrow(ConnectionLostError)
    }
  })
})

describe('timetz', () => {
  it.each([
    [0, '00:00:00+00:00'],
    [-3600, '00:00:00+01:00'],
    [1800, '00:00:00-00:30'],
    [-3723, '00:00:00+01:02:03'],
    [57_599, '00:00:00-15:59:59'],
  ])('%s seconds west are shown as an offset to the east', (west, text) => {
    expect(decode(codecOf('timetz'), Buffer.concat([int64(0n), int32s(west)]))).toBe(text)
  })

  it('an offset of sixteen hours is a broken protocol', () => {
    expect(() => decode(codecOf('timetz'), Buffer.concat([int64(0n), int32s(57_600)]))).toThrow(
      ConnectionLostError,
    )
  })
})

describe('interval', () => {
  it.each([
    [0n, 0, 0, 'PT0S'],
    [4n * hour + 306_700_000n, 3, 14, 'P1Y2M3DT4H5M6.7S'],
    [-4n * hour - 306_700_000n, 3, -14, 'P-1Y-2M3DT-4H-5M-6.7S'],
    [-500_000n, 0, 0, 'PT-0.5S'],
    [-1n, 0, 0, 'PT-0.000001S'],
    [-3_600_500_000n, 0, 0, 'PT-1H-0.5S'],
    [-59n * 60_000_000n, 0, 0, 'PT-59M'],
    [0n, 0, -12, 'P-1Y'],
    [0n, 0, 1, 'P1M'],
    [0n, -1, 0, 'P-1D'],
    [2n ** 63n - 1n, 0, 0, 'PT2562047788H54.775807S'],
    [2n ** 63n - 1n, 0x7fff_ffff, 0x7fff_ffff, 'infinity'],
    [-(2n ** 63n), -0x8000_0000, -0x8000_0000, '-infinity'],
  ])('%s µs, %s days and %s months are %s', (micros, days, months, text) => {
    expect(decode(codecOf('interval'), Buffer.concat([int64(micros), int32s(days, months)]))).toBe(text)
  })
})
