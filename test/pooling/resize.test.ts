import { expect, test } from 'vitest'
import { InterfaceError } from '../../src/errors.ts'
import { expectSlotsToAddUp, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('a raised minSize is filled', async () => {
  const { pool } = await openPool({ minSize: 1, maxSize: 5 })
  pool.resize({ minSize: 4 })
  await settled()
  expect(pool.size).toBe(4)
  expect(pool.minSize).toBe(4)
})

test('a raised maxSize serves those who wait', async () => {
  const harness = await openPool({ maxSize: 1 })
  const { pool } = harness
  await pool.acquire()
  const waiter = watch(pool.acquire())
  pool.resize({ maxSize: 2 })
  await settled()
  expect(waiter.state).toBe('fulfilled')
  expectSlotsToAddUp(harness)
})

test('under a lowered maxSize idle connections close now, the least recently used first, and the others as they come back', async () => {
  const harness = await openPool({ maxSize: 4 })
  const { pool, connector } = harness
  const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire(), pool.acquire()])
  leases[0]!.release()
  leases[1]!.release()
  pool.resize({ maxSize: 1 })
  await settled()
  expect(connector.log.slice(4)).toEqual(['close 1', 'close 2'])
  leases[2]!.release()
  await settled()
  expect(connector.log.slice(6)).toEqual(['close 3'])
  leases[3]!.release()
  await settled()
  expect(pool.stats()).toMatchObject({ maxSize: 1, idle: 1, free: 0, totals: { closed: { resized: 3 } } })
  expectSlotsToAddUp(harness)
})

test('a lowered maxSize keeps the idle connections that fit', async () => {
  const { pool, connector } = await openPool({ minSize: 0, maxSize: 4 })
  const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
  for (const lease of leases) lease.release()
  pool.resize({ maxSize: 2 })
  await settled()
  expect(connector.log.slice(3)).toEqual(['close 1'])
  expect(pool.idleSize).toBe(2)
})

test('a connect under way that no longer fits is closed when it comes', async () => {
  const { pool, connector } = await openPool({ maxSize: 2 })
  await pool.acquire()
  connector.connects.hold()
  const waiter = watch(pool.acquire())
  pool.resize({ maxSize: 1 })
  connector.connects.succeed()
  await settled()
  expect(waiter.state).toBe('pending')
  expect(pool.stats()).toMatchObject({ leased: 1, free: 0, closing: 0 })
})

test('R18: sizes that do not go together are refused and change nothing', async () => {
  const { pool } = await openPool({ minSize: 2, maxSize: 5 })
  expect(() => pool.resize({ maxSize: 1 })).toThrow(InterfaceError)
  expect(() => pool.resize({ minSize: 6 })).toThrow('minSize 6 is greater than maxSize 5')
  expect(() => pool.resize({ maxSize: 0 })).toThrow('maxSize: 0 ')
  expect([pool.minSize, pool.maxSize]).toEqual([2, 5])
})
