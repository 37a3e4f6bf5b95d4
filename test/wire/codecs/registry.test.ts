import { expect, it } from 'vitest'
import { InterfaceError } from '../../../src/errors.ts'
import { TypeConfiguration, type TypeOptions, TypeRegistry } from '../../../src/wire/codecs/index.ts'
import { decode } from './bytes.ts'

it('a type that nobody asked for is its text', () => {
  const registry = new TypeRegistry()
  expect(registry.unknown([23, 16_500, 16_500, 25])).toEqual([16_500])
  expect(decode(registry.codec(16_500), Buffer.from('as it is'))).toBe('as it is')
})

it('what gives nothing has a type that need not be asked for', () => {
  const registry = new TypeRegistry()
  expect(registry.unknown([2278])).toEqual([])
  expect(decode(registry.codec(2278), Buffer.alloc(0))).toBe('')
})

it('types and their arrays are known by their names', () => {
  const registry = new TypeRegistry(new TypeConfiguration({}))
  expect(registry.codecs([20, 1016, 1184, 1185, 705, 869]).map((codec) => codec.name)).toEqual([
    'int8',
    'int8[]',
    'timestamptz',
    'timestamptz[]',
    'unknown',
    'inet',
  ])
})

it('R18: an option that is none is refused by name', () => {
  const refusal = (options: Record<string, unknown>) => () => new TypeConfiguration(options as TypeOptions)
  expect(refusal({ int4: 'number' })).toThrow(InterfaceError)
  expect(refusal({ int4: 'number' })).toThrow(
    "types.int4: give one of 'text', or an object with decode, decodeBinary, encode, encodeBinary",
  )
  expect(refusal({ int8: 'BigInt' })).toThrow(
    "types.int8: give one of 'text', 'number', 'bigint', 'string', or",
  )
  expect(refusal({ toString: 'x' })).toThrow('types.toString: give one of')
  expect(refusal({ mood: {} })).toThrow('types.mood: give at least one of decode,')
  expect(refusal({ mood: { decode: 'x' } })).toThrow('types.mood.decode: must be a function')
  expect(refusal({ mood: { decode: String, decod: String } })).toThrow('types.mood.decod: unknown option')
  const both = { encode: String, encodeBinary: Buffer.from }
  expect(refusal({ mood: both })).toThrow('types.mood: give encode or encodeBinary, not both')
  expect(refusal({ bigint: 'string' })).toThrow(`types["bigint"]: pg_type's name of it is int8`)
  expect(refusal({ _int8: 'text' })).toThrow('give types.int8')
  expect(refusal({ 'mood[]': 'text' })).toThrow('leave out []')
  expect(refusal({ int8: undefined, timestamptz: 'date' })).not.toThrow()
})
