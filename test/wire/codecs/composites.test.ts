import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectionLostError } from '../../../src/errors.ts'
import type { Codec, TypeDescription } from '../../../src/wire/codecs/index.ts'
import { TypeRegistry } from '../../../src/wire/codecs/index.ts'
import { decode, encode, int32s } from './bytes.ts'

const pair = 90_001
const pairs = 90_002
const ranged = 90_003
const range = 90_004

function described(oid: number, name: string, more: Partial<TypeDescription>): TypeDescription {
  return { oid, schema: 'public', name, kind: 'other', inner: 0, delimiter: ',', attributes: [], ...more }
}

const descriptions: TypeDescription[] = [
  described(pair, 'pair', {
    kind: 'composite',
    attributes: [
      { name: 'n', oid: 23 },
      { name: 'text', oid: 25 },
    ],
  }),
  described(pairs, '_pair', { kind: 'array', inner: pair }),
  described(range, 'floats', {}),
  described(ranged, 'ranged', {
    kind: 'composite',
    attributes: [
      { name: 'r', oid: range },
      { name: 'list', oid: pairs },
      { name: 'bytes', oid: 17 },
      { name: 'f', oid: 701 },
    ],
  }),
]

function learned(onOutdated?: (certain: boolean) => void): TypeRegistry {
  const registry = new TypeRegistry(undefined, onOutdated)
  registry.learn([ranged], descriptions)
  return registry
}

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null })
const pairValue = fc.record({ n: nullable(fc.integer({ min: -9, max: 9 })), text: nullable(text) })

/** The binary form of a pair. */
function pairBytes(n: number | null, value: string | null): Buffer {
  const string = value === null ? undefined : Buffer.from(value)
  return Buffer.concat([
    int32s(2, 23, ...(n === null ? [-1] : [4, n]), 25, string === undefined ? -1 : string.length),
    string ?? Buffer.alloc(0),
  ])
}

describe('a composite in binary', () => {
  const codec = learned().codec(pair)

  it('is an object by attribute names', () => {
    expect(codec.resultFormat).toBe(1)
    expect(decode(codec, pairBytes(7, 'é'))).toEqual({ n: 7, text: 'é' })
    expect(decode(codec, pairBytes(null, null))).toEqual({ n: null, text: null })
  })

  it.each([
    ['nothing at all', Buffer.alloc(0)],
    ['a negative number of attributes', int32s(-1)],
    ['more attributes than bytes', int32s(2)],
    ['a number of attributes that is enormous', int32s(0x7fff_ffff, 23, 4, 1)],
    ['an attribute cut short', pairBytes(7, 'abc').subarray(0, -1)],
    ['the second attribute without its length', pairBytes(7, null).subarray(0, -4)],
    ['a length below -1', int32s(2, 23, -2, 25, -1)],
    ['an attribute that eats its follower', int32s(2, 23, 12, 7, 25, -1)],
    ['an attribute of the wrong size', int32s(2, 23, 8, 7, 7, 25, -1)],
    ['bytes after the last attribute', Buffer.concat([pairBytes(7, 'x'), Buffer.alloc(1)])],
  ])('%s is a broken protocol', (_, bytes) => {
    expect(() => decode(codec, bytes)).toThrow(ConnectionLostError)
  })

  it('every cut of it is a broken protocol', () => {
    const whole = pairBytes(7, 'abc')
    for (let length = 0; length < whole.length; length++) {
      expect(() => decode(codec, whole.subarray(0, length))).toThrow(ConnectionLostError)
    }
  })

  it.each([
    ['another number of attributes', int32s(1, 23, 4, 7)],
    ['one attribute more', Buffer.concat([int32s(3), pairBytes(7, 'x').subarray(4), int32s(16, -1)])],
    ['an attribute of another type', int32s(2, 20, 8, 0, 7, 25, -1)],
  ])('%s shows that the type was changed, and everything is asked for again', (_, bytes) => {
    const told: boolean[] = []
    const registry = learned((certain) => told.push(certain))
    expect(() => decode(registry.codec(pair), bytes)).toThrow('the type pair was changed')
    expect(told).toEqual([true])
    expect(registry.unknown([pair, pairs, ranged])).toEqual([pair, pairs, ranged])
    registry.learn([pair], descriptions)
    expect(registry.unknown([pair, pairs])).toEqual([])
  })
})

describe('a composite in text', () => {
  const registry = learned()
  const codec = registry.codec(ranged)

  it('comes back whatever its attributes hold', () => {
    expect(codec.resultFormat).toBe(0)
    const value = fc.record({
      r: nullable(text),
      list: nullable(fc.array(nullable(pairValue))),
      bytes: nullable(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
      f: nullable(fc.double()),
    })
    fc.assert(
      fc.property(value, (whole) => {
        expect(decode(codec, encode(codec, whole))).toEqual(whole)
      }),
    )
  })

  it('is read as the server writes it', () => {
    const read = (literal: string, of: Codec = codec) => decode(of, Buffer.from(literal))
    expect(read('("[1,2)","{""(1,\\\\""a,b\\\\"")"",NULL}","\\\\x00ff",-Infinity)')).toEqual({
      r: '[1,2)',
      list: [{ n: 1, text: 'a,b' }, null],
      bytes: Buffer.from([0, 255]),
      f: Number.NEGATIVE_INFINITY,
    })
    expect(read('(,,,)')).toEqual({ r: null, list: null, bytes: null, f: null })
    expect(read('("",,,)')).toMatchObject({ r: '' })
  })

  it.each(['', '(', ')', 'abc', '("a', '("a,,,)', '("a"b,,,)', '("a\\",,,)'])(
    '%j is a broken protocol',
    (literal) => expect(() => decode(codec, Buffer.from(literal))).toThrow(ConnectionLostError),
  )

  it.each(['()', '(,)', '(,,,,)'])('%j has another number of attributes: the type was changed', (literal) => {
    const told: boolean[] = []
    const changed = learned((certain) => told.push(certain)).codec(ranged)
    expect(() => decode(changed, Buffer.from(literal))).toThrow('the type ranged was changed')
    expect(told).toEqual([true])
  })
})

describe('what the server says of types', () => {
  it('that are made of themselves does not end in a loop', () => {
    const registry = new TypeRegistry()
    registry.learn(
      [1],
      [
        described(90_001, 'a', { kind: 'domain', inner: 90_002 }),
        described(90_002, 'b', { kind: 'array', inner: 90_001 }),
      ],
    )
    expect(registry.unknown([90_001, 90_002])).toEqual([])
  })

  it('may leave one out, which went meanwhile: it is its text', () => {
    const registry = new TypeRegistry()
    registry.learn([90_009], [])
    expect(registry.unknown([90_009])).toEqual([])
    expect(registry.codec(90_009).name).toBe('the type with OID 90009')
  })

  it('an attribute that is not there may be new: the caller is refused, and the type asked for again', () => {
    const told: boolean[] = []
    const registry = learned((certain) => told.push(certain))
    expect(() => encode(registry.codec(pair), { n: 1, more: 2 })).toThrow('there is no attribute "more"')
    expect(told).toEqual([false])
  })
})
