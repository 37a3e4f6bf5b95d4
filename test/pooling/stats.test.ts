import { expect, test } from 'vitest'
import { openPool, watch } from './support/harness.ts'

test('stats count the slots by what happens in them, who waits, and the longest holder', async () => {
  const { pool, clock, connector } = await openPool({ minSize: 1, maxSize: 5 })
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
