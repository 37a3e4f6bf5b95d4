import { expect, it } from 'vitest'
import { InterfaceError } from '../../../src/errors.ts'
import { TypeRegistry } from '../../../src/wire/codecs/index.ts'

it('a type has one codec for the whole of a configuration', () => {
  const registry = new TypeRegistry()
  expect(registry.codecs([23, 16_500])).toEqual([registry.codec(23), registry.codec(16_500)])
  expect(registry.codec(16_500)).toBe(registry.codec(16_500))
})

it('types and their arrays are known by their names', () => {
  const registry = new TypeRegistry({})
  expect(registry.codecs([20, 1016, 1184, 1185, 705, 869]).map((codec) => codec.name)).toEqual([
    'int8',
    'int8[]',
    'timestamptz',
    'timestamptz[]',
    'unknown',
    'inet',
  ])
})

it('R18: an unknown option or value is refused by name', () => {
  const refusal = (options: object) => () => new TypeRegistry(options)
  expect(refusal({ int4: 'number' })).toThrow(InterfaceError)
  expect(refusal({ int4: 'number' })).toThrow('types.int4: unknown option; there are int8, timestamptz')
  expect(refusal({ toString: 'x' })).toThrow('types.toString: unknown option')
  expect(refusal({ int8: 'BigInt' })).toThrow("types.int8: give one of 'number', 'bigint', 'string'")
  expect(refusal({ int8: undefined, timestamptz: 'date' })).not.toThrow()
})
