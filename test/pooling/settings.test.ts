import { expect, test } from 'vitest'
import { InterfaceError } from '../../src/errors.ts'
import { type PoolOptions, poolOptionNames, resolvePoolSettings } from '../../src/pooling/index.ts'

test('the defaults are those of the contract', () => {
  expect(resolvePoolSettings({})).toEqual({
    minSize: 10,
    maxSize: 10,
    maxQueries: 50_000,
    maxInactiveConnectionLifetime: 300_000,
    maxLifetime: 3_600_000,
    acquireTimeout: 30_000,
    maxWaiting: Number.POSITIVE_INFINITY,
    checkIdleAfter: 1_000,
    checkTimeout: 2_000,
    leakThreshold: 0,
    connectConcurrency: 4,
    hookTimeout: 10_000,
    closeTimeout: 5_000,
  })
})

test('the list of names is that of the settings', () => {
  expect(Object.keys(resolvePoolSettings({})).toSorted()).toEqual(poolOptionNames.toSorted())
})

test('minSize is at most maxSize where it is not given', () => {
  expect(resolvePoolSettings({ maxSize: 3 }).minSize).toBe(3)
  expect(resolvePoolSettings({ maxSize: 50 }).minSize).toBe(10)
})

test('an option that is undefined has its default, and 0 stays 0', () => {
  expect(resolvePoolSettings({ minSize: undefined, maxQueries: undefined })).toEqual(resolvePoolSettings({}))
  const off = {
    minSize: 0,
    maxQueries: 0,
    maxLifetime: 0,
    acquireTimeout: 0,
    maxWaiting: 0,
    checkIdleAfter: 0,
  }
  expect(resolvePoolSettings(off)).toMatchObject(off)
})

test('durations may carry their unit', () => {
  const settings = resolvePoolSettings({ maxInactiveConnectionLifetime: '5min', checkIdleAfter: 'always' })
  expect(settings).toMatchObject({ maxInactiveConnectionLifetime: 300_000, checkIdleAfter: 'always' })
})

test('R18: a minSize above maxSize is refused with both and what to do', () => {
  expect(() => resolvePoolSettings({ minSize: 20 })).toThrow(
    new InterfaceError(
      'minSize 20 is greater than maxSize 10; lower minSize, or raise maxSize to at least 20',
    ),
  )
})

test('R18: nonsense is refused by the name of its option', () => {
  const nonsense: Record<keyof PoolOptions, unknown[]> = {
    minSize: [-1, 1.5, Number.NaN, '3', null],
    maxSize: [0, -1, Number.POSITIVE_INFINITY],
    maxQueries: [-1, 0.5],
    maxInactiveConnectionLifetime: [-1, '5 parsecs', Number.NaN],
    maxLifetime: ['soon'],
    acquireTimeout: [Number.POSITIVE_INFINITY, true],
    maxWaiting: [-1, Number.NaN],
    checkIdleAfter: ['sometimes'],
    checkTimeout: [-5],
    leakThreshold: [-1, 'long'],
    connectConcurrency: [0, 2.5],
    hookTimeout: [{}],
    closeTimeout: ['-1s'],
  }
  for (const [option, values] of Object.entries(nonsense)) {
    for (const value of values) {
      const resolve = () => resolvePoolSettings({ [option]: value })
      expect(resolve, `${option}: ${value}`).toThrow(InterfaceError)
      expect(resolve).toThrow(new RegExp(`^${option}: `))
    }
  }
})

test('R18: a number that is refused is shown as it was given', () => {
  const shown = (minSize: unknown) => {
    try {
      return resolvePoolSettings({ minSize } as PoolOptions)
    } catch (error) {
      return (error as Error).message
    }
  }
  expect(shown(Number.NaN)).toBe('minSize: NaN is not a whole number of 0 or more')
  expect(shown(-0.5)).toBe('minSize: -0.5 is not a whole number of 0 or more')
  expect(shown('3')).toBe('minSize: "3" is not a whole number of 0 or more')
  expect(shown(null)).toBe('minSize: null is not a whole number of 0 or more')
  expect(shown({ min: 3 })).toBe('minSize: {"min":3} is not a whole number of 0 or more')
  expect(shown(Symbol('3'))).toBe('minSize: Symbol(3) is not a whole number of 0 or more')
})
