import { expect, test } from 'vitest'
import { InterfaceError, PoolOverloadedError, PoolTimeoutError } from '../../src/errors.ts'
import { mostAtOnce } from '../../src/pooling/deadline-queue.ts'
import type { Lease } from '../../src/pooling/index.ts'
import type { FakeConnection } from './support/fake-connector.ts'
import { openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R5: a time-out says who has the connections, for how long, and who waits', async () => {
  const { pool, clock } = await openPool({ maxSize: 2 })
  await pool.acquire({ holder: 'GET /tasks' })
  await clock.advance(300)
  await pool.acquire({ holder: 'POST /tasks' })
  const caller = watch(pool.acquire({ timeout: 12_000 }))
  watch(pool.acquire({ timeout: 20_000 }))
  await clock.advance(12_000)
  expect(caller.reason).toBeInstanceOf(PoolTimeoutError)
  expect((caller.reason as Error).message).toBe(
    'no connection within 12 s: 2 of 2 in use, 0 idle, 0 connecting, 2 waiting; ' +
      'longest held for 12.3 s by GET /tasks',
  )
  expect(caller.reason).not.toHaveProperty('cause')
})

test('R5: of a great many whose time is over, those who were not told yet are served where a connection comes back', async () => {
  const { pool, clock } = await openPool({ maxSize: 1, acquireTimeout: '2s' })
  const held = await pool.acquire()
  const callers = Array.from({ length: mostAtOnce + 3 }, () => pool.acquire())
  const watched = callers.map(watch)
  const release = (lease: Lease<FakeConnection>) => lease.release()
  callers[0]!.catch(() => held.release())
  callers[mostAtOnce]!.then(release)
  callers[mostAtOnce + 1]!.then(release)
  callers[mostAtOnce + 2]!.then(release)
  await clock.advance(2_000)
  const states = watched.map(({ state }) => state)
  expect(states.indexOf('fulfilled')).toBe(mostAtOnce)
  expect(states.slice(mostAtOnce)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
  expect(new Set(states.slice(0, mostAtOnce))).toEqual(new Set(['rejected']))
  expect(pool.stats()).toMatchObject({ waiting: 0, idle: 1, totals: { timedOut: mostAtOnce } })
  await clock.advance(2_000)
  expect(pool.stats().totals.timedOut).toBe(mostAtOnce)
})

test('R5: a holder without a name is told by its age', async () => {
  const { pool, clock } = await openPool({ maxSize: 1, acquireTimeout: '2s' })
  await pool.acquire()
  const caller = watch(pool.acquire())
  await clock.advance(2_000)
  expect((caller.reason as Error).message).toMatch(/1 waiting; longest held for 2 s$/)
})

test('R5: the longest holder is the one of those that still hold who acquired first', async () => {
  const { pool, clock } = await openPool({ maxSize: 2 })
  const first = await pool.acquire({ holder: 'first' })
  await pool.acquire({ holder: 'second' })
  first.release()
  await clock.advance(1_000)
  await pool.acquire({ holder: 'third' })
  const caller = watch(pool.acquire({ timeout: 1_000 }))
  await clock.advance(1_000)
  expect((caller.reason as Error).message).toMatch(/longest held for 2 s by second$/)
})

test('R5: a time-out while the pool is suspended says so', async () => {
  const { pool, clock } = await openPool({ minSize: 1, acquireTimeout: 100 })
  pool.suspend()
  const caller = watch(pool.acquire())
  await clock.advance(100)
  expect((caller.reason as Error).message).toContain('1 idle, 0 connecting, 1 waiting; the pool is suspended')
})

test('R5: a time-out names what is being set up, checked, reset and closed, and no holder of before', async () => {
  const { pool, clock, connector } = await openPool({
    maxSize: 6,
    setup: true,
    resetsTakeTime: true,
    maxQueries: 5,
    checkTimeout: 0,
    acquireTimeout: 0,
  })
  const leases = await Promise.all(Array.from({ length: 5 }, () => pool.acquire({ holder: 'before' })))
  const [resetting, closing, terminating, idle, prepared] = leases
  idle!.release()
  await clock.advance(5_000)
  connector.checks.hold()
  watch(pool.acquire())
  for (const step of [connector.resets, connector.closes, connector.terminates, connector.connects])
    step.hold()
  prepared!.release()
  resetting!.release()
  closing!.connection.commands = 5
  closing!.release()
  terminating!.connection.die()
  connector.prepares.hold()
  connector.resets.succeed()
  const caller = watch(pool.acquire({ timeout: 10 }))
  watch(pool.acquire())
  await clock.advance(10)
  expect((caller.reason as Error).message).toBe(
    'no connection within 10 ms: 1 of 6 in use, 0 idle, 1 connecting, 1 being checked, 1 being reset, 2 closing, ' +
      '2 waiting',
  )
  expect(pool.stats().totals.timedOut).toBe(1)
})

test('acquire waits for acquireTimeout unless told otherwise, and without end for 0', async () => {
  const { pool, clock } = await openPool({ maxSize: 1, acquireTimeout: '1s' })
  await pool.acquire()
  const usual = watch(pool.acquire())
  const endless = watch(pool.acquire({ timeout: 0 }))
  await clock.advance(999)
  expect(usual.state).toBe('pending')
  await clock.advance(1)
  expect(usual.state).toBe('rejected')
  await clock.advance(86_400_000)
  expect(endless.state).toBe('pending')
})

test('time-outs of many lengths run out in their order under one timer', async () => {
  const { pool, clock } = await openPool({ maxSize: 1, maxLifetime: 0, maxInactiveConnectionLifetime: 0 })
  const lease = await pool.acquire()
  const order: number[] = []
  const lengths = Array.from({ length: 200 }, (_, i) => 10 + ((i * 7919) % 200))
  for (const timeout of lengths) {
    pool.acquire({ timeout }).catch(() => order.push(timeout))
    expect(clock.timers).toBe(1)
  }
  await clock.advance(100)
  expect(clock.timers).toBe(1)
  expect(pool.waitingSize).toBe(lengths.filter((length) => length > 100).length)
  await clock.advance(200)
  expect(order).toEqual(lengths.toSorted((a, b) => a - b))
  lease.release()
  expect(clock.timers).toBe(0)
})

test('waiters that are served leave no timer of their own behind', async () => {
  const { pool, clock } = await openPool({ maxSize: 1 })
  const before = clock.timersSet
  let lease = await pool.acquire()
  for (let i = 0; i < 100; i++) {
    const next = pool.acquire()
    lease.release()
    lease = await next
  }
  expect(clock.timersSet - before).toBe(1)
})

test('I2: after a stall of the event loop a connection that is there by then still serves its waiter', async () => {
  const { pool, clock } = await openPool({ maxSize: 1, acquireTimeout: 1_000 })
  const lease = await pool.acquire()
  const caller = watch(pool.acquire())
  clock.stall(5_000)
  lease.release()
  await clock.advance(1)
  expect(caller.state).toBe('fulfilled')
})

test('R5: over maxWaiting acquire rejects at once, and says why', async () => {
  const { pool } = await openPool({ maxSize: 1, maxWaiting: 1 })
  const lease = await pool.acquire()
  const waiter = watch(pool.acquire())
  const refused = pool.acquire()
  await expect(refused).rejects.toBeInstanceOf(PoolOverloadedError)
  await expect(refused).rejects.toThrow(
    'maxWaiting allows 1 to wait for a connection: 1 of 1 in use, 0 idle, 0 connecting, 1 waiting; ' +
      'longest held for 0 ms; try again later, raise maxSize or maxWaiting, or hold connections for less long',
  )
  lease.release()
  await settled()
  expect(waiter.state).toBe('fulfilled')
  expect(pool.stats().totals.overloaded).toBe(1)
})

test('maxWaiting 0 lets nobody wait for a release, but for a connection that may be opened', async () => {
  const { pool } = await openPool({ maxSize: 3, maxWaiting: 0 })
  await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
  await expect(pool.acquire()).rejects.toBeInstanceOf(PoolOverloadedError)
})

test('maxWaiting 0 refuses nobody for whom a connection is being checked or may be', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 2, maxSize: 2, maxWaiting: 0 })
  await clock.advance(5_000)
  connector.checks.hold()
  const callers = [watch(pool.acquire()), watch(pool.acquire()), watch(pool.acquire())]
  connector.checks.succeed()
  connector.checks.succeed()
  await settled()
  expect(callers.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
})

test('a timeout that is no duration is refused by name, even where a connection is idle', async () => {
  const { pool } = await openPool({ minSize: 1 })
  for (const timeout of [-1, Number.NaN]) {
    await expect(pool.acquire({ timeout })).rejects.toThrow(InterfaceError)
    await expect(pool.acquire({ timeout })).rejects.toThrow('timeout: ')
  }
  expect(pool.idleSize).toBe(1)
})
