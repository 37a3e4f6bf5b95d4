import { expect, test } from 'vitest'
import { openPool, watch } from './support/harness.ts'

const place = 'createTask (/app/tasks.ts:12:5)\nhandle (/app/server.ts:3:1)'

test('R17: what is held for longer than leakThreshold is reported once, and again when it comes back', async () => {
  const { pool, clock } = await openPool({ maxSize: 2, leakThreshold: '5s' })
  const told: unknown[] = []
  pool.on('leak', ({ connection, ...rest }) => told.push({ id: connection.id, ...rest }))
  await clock.advance(5_000)
  const lease = await pool.acquire({ holder: place })
  await clock.advance(4_999)
  expect(told).toEqual([])
  await clock.advance(60_000)
  expect(told).toEqual([{ id: 1, number: 1, stack: place, held: 5_000, returned: false }])
  lease.release()
  lease.release()
  expect(told.slice(1)).toEqual([{ id: 1, number: 1, stack: place, held: 64_999, returned: true }])
})

test('R17: what comes back in time is not reported, whenever it was handed out', async () => {
  const { pool, clock } = await openPool({ maxSize: 3, leakThreshold: '5s' })
  const told: number[] = []
  pool.on('leak', ({ number }) => told.push(number))
  const [first, second] = [await pool.acquire(), await pool.acquire()]
  await clock.advance(3_000)
  await pool.acquire()
  second.release()
  await clock.advance(2_000)
  expect(told).toEqual([1])
  await clock.advance(3_000)
  expect(told).toEqual([1, 3])
  first.release()
  expect(told).toEqual([1, 3, 1])
})

test('R17: without a leakThreshold nothing is reported and no timer runs', async () => {
  const { pool, clock } = await openPool({ maxSize: 1, acquireTimeout: 0 })
  const told: unknown[] = []
  pool.on('leak', (leak) => told.push(leak))
  await pool.acquire()
  expect(clock.timers).toBe(0)
  await clock.advance(3_600_000)
  expect(told).toEqual([])
})

test('I9: a pool that was terminated reports nothing more and leaves no timer', async () => {
  const { pool, clock } = await openPool({ maxSize: 1, leakThreshold: '5s' })
  const told: unknown[] = []
  pool.on('leak', (leak) => told.push(leak))
  const lease = await pool.acquire()
  await pool.terminate()
  expect(clock.timers).toBe(0)
  lease.release()
  expect(told).toEqual([])
})

test('R5: a time-out tells the place of the acquire, and not all of its stack', async () => {
  const { pool, clock } = await openPool({ maxSize: 1, acquireTimeout: '2s' })
  await pool.acquire({ holder: place })
  const caller = watch(pool.acquire())
  await clock.advance(2_000)
  expect((caller.reason as Error).message).toMatch(/held for 2 s by createTask \(\/app\/tasks\.ts:12:5\)$/)
  expect(pool.stats().longestHolder).toBe('createTask (/app/tasks.ts:12:5)')
})

test('R17: hand-outs that come back in time share one timer', async () => {
  const { pool, clock } = await openPool({ minSize: 1, leakThreshold: '5s', checkIdleAfter: 0 })
  await clock.advance(10_000)
  const before = clock.timersSet
  for (let i = 0; i < 40; i++) {
    const lease = await pool.acquire()
    await clock.advance(100)
    lease.release()
  }
  expect(clock.timersSet - before).toBe(1)
})
