import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TypeConfiguration, TypeRegistry } from '../../../src/wire/codecs/index.ts'
import { codecOf, decode, encode, int64, type TypeName } from './bytes.ts'

function thereAndBack(name: TypeName, value: unknown, registry?: TypeRegistry): unknown {
  const codec = codecOf(name, registry)
  return decode(codec, encode(codec, value))
}

describe('integers', () => {
  it.each([
    ['int2', -0x8000, 0x7fff],
    ['int4', -0x8000_0000, 0x7fff_ffff],
    ['oid', 0, 0xffff_ffff],
    ['int8', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ] as const)('%s keeps every value of its range', (name, min, max) => {
    fc.assert(
      fc.property(fc.integer({ min, max }), (value) => {
        expect(thereAndBack(name, value)).toBe(value)
        expect(thereAndBack(name, BigInt(value))).toBe(value)
        expect(thereAndBack(name, String(value))).toBe(value)
      }),
      { examples: [[min], [max], [0], [Math.min(max, 2 ** 32)], [Math.max(min, -(2 ** 32) - 1)]] },
    )
  })

  it.each([
    ['int2', 0x8000],
    ['int2', -0x8001],
    ['int4', 2 ** 31],
    ['int4', -(2 ** 31) - 1],
    ['int4', 2n ** 64n],
    ['int4', '2147483648'],
    ['oid', -1],
    ['oid', 2 ** 32],
    ['int8', 2 ** 53],
    ['int8', 2n ** 63n],
    ['int8', -(2n ** 63n) - 1n],
    ['int8', '9223372036854775808'],
  ] as const)('%s refuses %s, which lies outside its range', (name, value) => {
    expect(() => encode(codecOf(name), value)).toThrow(/^expected an integer from /)
  })

  it.each<TypeName>(['int2', 'oid', 'int4', 'int8'])('%s refuses what is no integer', (name) => {
    const others = [
      1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '',
      ' 1',
      '1.0',
      '0x10',
      '1e3',
      '-',
      true,
      [],
      {},
    ]
    for (const value of others) expect(() => encode(codecOf(name), value)).toThrow(/^expected an integer/)
  })

  it('a minus zero is zero', () => {
    for (const name of ['int2', 'int4', 'oid', 'int8'] as const) expect(thereAndBack(name, -0)).toBe(0)
  })

  it('int8 outside the safe integers is refused with the option that helps', () => {
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(() => decode(codecOf('int8'), int64(value))).toThrow("types: { int8: 'bigint' }")
    }
  })

  it('int8 as bigint or string keeps all 64 bits', () => {
    const bigint = new TypeRegistry(new TypeConfiguration({ int8: 'bigint' }))
    const string = new TypeRegistry(new TypeConfiguration({ int8: 'string' }))
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(thereAndBack('int8', value, bigint)).toBe(value)
        expect(thereAndBack('int8', String(value), string)).toBe(String(value))
      }),
      { examples: [[2n ** 63n - 1n], [-(2n ** 63n)], [0n], [-1n]] },
    )
  })

  it('the option for int8 holds within arrays', () => {
    const registry = new TypeRegistry(new TypeConfiguration({ int8: 'bigint' }))
    expect(thereAndBack('int8[]', [2n ** 62n, null, 1], registry)).toEqual([2n ** 62n, null, 1n])
  })
})

describe('floats', () => {
  it('float8 keeps every double, minus zero and NaN among them', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(thereAndBack('float8', value)).toBe(value)
      }),
      {
        examples: [[-0], [Number.NaN], [Number.NEGATIVE_INFINITY], [5e-324], [Number.MAX_VALUE]],
      },
    )
  })

  it('float4 comes back as a decimal that is the same float4', () => {
    fc.assert(
      fc.property(fc.float(), (value) => {
        expect(Math.fround(thereAndBack('float4', value) as number)).toBe(value)
      }),
      { examples: [[Number.NaN], [Number.POSITIVE_INFINITY]] },
    )
  })

  it.each([0.1, 3.14, -2.5, 1e-30, 3.4028235e38, 1.1754944e-38, 16_777_216, 0, -0])(
    'float4 gives %s back as it was written',
    (value) => {
      expect(thereAndBack('float4', value)).toBe(value)
    },
  )

  it('float4 halfway between two decimals is the even one, as the server prints it', () => {
    expect(thereAndBack('float4', 2_921_091.25)).toBe(2_921_091.2)
    expect(thereAndBack('float4', -2_921_091.75)).toBe(-2_921_091.8)
  })

  it('float4 is no decimal that lies halfway to the next float4, as the server prints it', () => {
    expect(thereAndBack('float4', -52_438_792)).toBe(-52_438_792)
  })

  it('decimal strings and the names of what is no decimal are taken', () => {
    for (const [text, value] of [
      ['1.5', 1.5],
      ['-.5e3', -500],
      ['+7.', 7],
      ['NaN', Number.NaN],
      ['Infinity', Number.POSITIVE_INFINITY],
      ['-Infinity', Number.NEGATIVE_INFINITY],
    ] as const) {
      expect(thereAndBack('float8', text)).toBe(value)
    }
  })

  it('what no double is, is refused', () => {
    for (const value of [
      '',
      '.',
      'inf',
      '1,5',
      'toString',
      true,
      new Date(),
      [1],
      2n ** 53n + 1n,
      10n ** 400n,
    ]) {
      expect(() => encode(codecOf('float8'), value)).toThrow(/^expected a number/)
    }
    expect(thereAndBack('float8', 2n ** 53n)).toBe(2 ** 53)
  })

  it('float4 refuses a number that it would make infinite', () => {
    for (const value of [3.5e38, -1e300])
      expect(() => encode(codecOf('float4'), value)).toThrow(/range of float4/)
  })
})

describe('numeric', () => {
  it.each([
    ['0.10', '0.10'],
    [1.5, '1.5'],
    [-0, '0'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [10n ** 30n, '1000000000000000000000000000000'],
  ])('%s goes out as the text %s', (value, text) => {
    expect(encode(codecOf('numeric'), value).toString()).toBe(text)
  })

  it('is read with every digit', () => {
    const text = '123456789012345678901234567890.1230'
    expect(decode(codecOf('numeric'), Buffer.from(text))).toBe(text)
  })

  it('refuses what is no number', () => {
    for (const value of [true, {}, [1], new Date()]) {
      expect(() => encode(codecOf('numeric'), value)).toThrow(/^expected a decimal string/)
    }
  })
})
