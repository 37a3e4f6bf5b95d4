import { expect, test } from 'vitest'
import { openPool } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

/** Opens `count` connections and gives them back, the first one first. */
async function use({ pool }: Awaited<ReturnType<typeof openPool>>, count: number) {
  const leases = await Promise.all(Array.from({ length: count }, () => pool.acquire()))
  for (const lease of leases) lease.release()
}

test('R10: connections above the floor are closed when idle for the lifetime, the least recently used first', async () => {
  const harness = await openPool({ minSize: 1, maxSize: 3, maxInactiveConnectionLifetime: '10s' })
  await use(harness, 3)
  await harness.clock.advance(9_999)
  expect(harness.pool.size).toBe(3)
  await harness.clock.advance(1)
  expect(harness.pool.size).toBe(1)
  expect(harness.connector.log.slice(3)).toEqual(['close 1', 'close 2'])
  expect(harness.pool.stats().totals.closed.idle).toBe(2)
})

test('R10: the time counts from the release, not from the hand-out', async () => {
  const { pool, clock } = await openPool({ maxInactiveConnectionLifetime: '10s' })
  const lease = await pool.acquire()
  await clock.advance(60_000)
  expect(pool.size).toBe(1)
  lease.release()
  await clock.advance(9_999)
  expect(pool.size).toBe(1)
  await clock.advance(1)
  expect(pool.size).toBe(0)
})

test('R10: a connection that was never used counts from its opening', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 2, maxInactiveConnectionLifetime: '10s' })
  const lease = await pool.acquire()
  connector.connects.hold()
  const caller = pool.acquire()
  lease.release()
  const mine = await caller
  await clock.advance(5_000)
  connector.connects.succeed()
  await settled()
  mine.connection.commands = 1
  await clock.advance(9_999)
  expect(pool.size).toBe(2)
  await clock.advance(1)
  expect(pool.size).toBe(1)
})

test('R10: a check does not make a connection used', async () => {
  const { pool, connector, clock } = await openPool({ maxInactiveConnectionLifetime: '10s' })
  ;(await pool.acquire()).release()
  await clock.advance(6_000)
  connector.checks.hold()
  const abort = new AbortController()
  const caller = pool.acquire({ signal: abort.signal })
  abort.abort()
  await caller.catch(() => {})
  connector.checks.succeed()
  await clock.advance(4_000)
  expect(connector.log).toEqual(['connect 1', 'check 1', 'close 1'])
})

test('R10: the floor stays, however long it is idle, and rings once a lifetime', async () => {
  const { pool, clock } = await openPool({ minSize: 3, maxLifetime: 0, maxInactiveConnectionLifetime: '10s' })
  const before = clock.timersSet
  await clock.advance(100_000)
  expect(pool.size).toBe(3)
  expect(clock.timersSet - before).toBeLessThanOrEqual(10)
})

test('R10: 0 sets no limit', async () => {
  const harness = await openPool({ maxInactiveConnectionLifetime: 0, maxLifetime: 0 })
  await use(harness, 2)
  await harness.clock.advance(86_400_000)
  expect(harness.pool.size).toBe(2)
  expect(harness.clock.timers).toBe(0)
})

test('an idle connection whose maxLifetime ends is replaced, floor or not', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, maxLifetime: '10min' })
  await clock.advance(600_000)
  await settled()
  expect(connector.log).toEqual(['connect 1', 'close 1', 'connect 2'])
  expect(pool.stats().totals.closed.maxLifetime).toBe(1)
})

test('maxLifetime is jittered by a tenth either way', async () => {
  for (const [random, lifetime] of [
    [0, 90_000],
    [1 - 2 ** -53, 110_000],
  ] as const) {
    const { connector, clock } = await openPool({ minSize: 1, maxLifetime: 100_000, random: () => random })
    await clock.advance(lifetime - 1)
    expect(connector.log).toEqual(['connect 1'])
    await clock.advance(2)
    expect(connector.log).toContain('close 1')
  }
})

test('a connection in use outlives its maxLifetime and is closed at release', async () => {
  const { pool, connector, clock } = await openPool({ maxLifetime: '10min' })
  const lease = await pool.acquire()
  await clock.advance(600_000)
  expect(connector.log).toEqual(['connect 1'])
  lease.release()
  expect(connector.log).toEqual(['connect 1', 'close 1'])
  expect(pool.stats().totals.closed.maxLifetime).toBe(1)
})

test('a connection whose maxLifetime ends is neither handed out nor checked, though the timer has not fired', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, maxLifetime: '10min', checkIdleAfter: 0 })
  clock.stall(600_000)
  const lease = await pool.acquire()
  expect(lease.connection.id).toBe(2)
  expect(connector.log).toEqual(['connect 1', 'close 1', 'connect 2'])
  expect(pool.stats().totals.closed.maxLifetime).toBe(1)
})

test('lifetimes and idle times share one timer', async () => {
  const harness = await openPool({ maxSize: 20, maxInactiveConnectionLifetime: '10s', maxLifetime: '1min' })
  await use(harness, 20)
  expect(harness.clock.timers - 1).toBeLessThanOrEqual(1)
  await harness.clock.advance(120_000)
  expect(harness.pool.size).toBe(0)
})

test('R10: each connection has its own time, counted from its own release', async () => {
  const { pool, connector, clock } = await openPool({ maxInactiveConnectionLifetime: '10s' })
  const [first, second] = [await pool.acquire(), await pool.acquire()]
  first.release()
  await clock.advance(5_000)
  second.release()
  await clock.advance(5_000)
  expect(connector.log.slice(2)).toEqual(['close 1'])
  await clock.advance(5_000)
  expect(connector.log.slice(2)).toEqual(['close 1', 'close 2'])
})
