import { expect, test } from 'vitest'
import { ids, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('stats count the slots by what happens in them, who waits, and the longest holder', async () => {
  const { pool, clock, connector } = await openPool({ minSize: 1, maxSize: 5 })
  await clock.advance(500)
  await pool.acquire({ holder: 'oldest' })
  await clock.advance(2_000)
  const second = await pool.acquire()
  connector.connects.hold()
  watch(pool.acquire())
  second.release()
  watch(pool.acquire())
  expect(pool.stats()).toEqual({
    minSize: 1,
    maxSize: 5,
    size: 2,
    free: 2,
    connecting: 1,
    checking: 0,
    preparing: 0,
    idle: 0,
    leased: 2,
    resetting: 0,
    closing: 0,
    waiting: 1,
    longestHeld: 2_000,
    longestHolder: 'oldest',
    totals: {
      opened: 2,
      connectFailures: 0,
      acquired: 3,
      timedOut: 0,
      overloaded: 0,
      closed: expect.objectContaining({ idle: 0, lost: 0 }),
    },
  })
  expect([pool.size, pool.idleSize, pool.waitingSize, pool.minSize, pool.maxSize]).toEqual([2, 0, 1, 1, 5])
})

test('stats are a copy', async () => {
  const { pool } = await openPool()
  const before = pool.stats()
  await pool.acquire()
  expect(before.totals.acquired).toBe(0)
})

test('the longest holder is who has acquired first of those that still hold', async () => {
  const { pool, clock } = await openPool()
  const first = await pool.acquire({ holder: 'first' })
  await clock.advance(1_000)
  await pool.acquire({ holder: 'second' })
  first.release()
  expect(pool.stats()).toMatchObject({ longestHeld: 0, longestHolder: 'second' })
  await clock.advance(100)
  await pool.acquire({ holder: 'third' })
  await clock.advance(100)
  expect(pool.stats()).toMatchObject({ longestHeld: 200, longestHolder: 'second' })
})

test('connections are those that are open, whatever happens in them, and none that come or go', async () => {
  const { pool, connector } = await openPool({ minSize: 1, maxSize: 6, maxQueries: 1, resetsTakeTime: true })
  const leases = await Promise.all(Array.from({ length: 5 }, () => pool.acquire()))
  const [resetting, closing, terminating, idle] = leases
  connector.closes.hold()
  connector.terminates.hold()
  idle!.release()
  await settled()
  connector.resets.hold()
  resetting!.release()
  closing!.connection.commands = 1
  closing!.release()
  terminating!.connection.die()
  pool.resize({ minSize: 4 })
  connector.connects.hold()
  pool.resize({ minSize: 5 })
  expect(pool.stats()).toMatchObject({ resetting: 1, closing: 2, idle: 1, leased: 1, connecting: 1 })
  expect(ids(pool.connections()).toSorted()).toEqual([1, 4, 5])
})

test('what the connector notices is told as a warning', async () => {
  const { pool } = await openPool()
  const told: unknown[] = []
  pool.on('warning', (warning) => told.push(warning))
  const error = new Error('deprecated')
  pool.warn('the server said something', error)
  expect(told).toEqual([{ message: 'the server said something', error }])
})
