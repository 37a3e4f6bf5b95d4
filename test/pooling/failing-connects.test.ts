import { expect, test } from 'vitest'
import { PoolTimeoutError } from '../../src/errors.ts'
import { PermanentError } from './support/fake-connector.ts'
import { makePool, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R4: a connect that fails for good rejects the oldest waiter with that error', async () => {
  const { pool, connector } = await openPool({ maxSize: 5 })
  const wrong = new PermanentError('wrong password')
  connector.connects.hold()
  const oldest = watch(pool.acquire())
  const next = watch(pool.acquire())
  connector.connects.reject(wrong)
  await settled()
  expect(oldest).toEqual({ state: 'rejected', reason: wrong })
  expect(next.state).toBe('pending')
})

test('R4: connects that fail for good are throttled, and each rejects one waiter', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 5 })
  connector.connects.fail(new PermanentError('wrong password'))
  const callers = Array.from({ length: 100 }, () => watch(pool.acquire({ timeout: 0 })))
  await clock.advance(2_000)
  const { calls } = connector.connects
  expect(callers.filter(({ state }) => state === 'rejected')).toHaveLength(calls)
  expect(callers.slice(0, calls).every(({ state }) => state === 'rejected')).toBe(true)
  expect(calls).toBeGreaterThan(4)
  expect(calls).toBeLessThan(10)
})

test('R4: a connect that may pass is tried again, and its success serves the waiter', async () => {
  const { pool, connector, clock } = await openPool()
  connector.connects.fail(new Error('refused'))
  const caller = watch(pool.acquire())
  await clock.advance(500)
  expect(caller.state).toBe('pending')
  connector.connects.pass()
  await clock.advance(500)
  expect(caller.state).toBe('fulfilled')
})

test('R4: the last failure is the cause of the time-out', async () => {
  const { pool, connector, clock } = await openPool()
  const refused = new Error('connect ECONNREFUSED')
  connector.connects.fail(refused)
  const caller = watch(pool.acquire({ timeout: 1_000 }))
  await clock.advance(1_000)
  expect(caller.reason).toBeInstanceOf(PoolTimeoutError)
  expect((caller.reason as Error).cause).toBe(refused)
  expect((caller.reason as Error).message).toContain('the last connect failed: connect ECONNREFUSED')
})

test('a failure that a success followed is no longer the cause of a time-out', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 1 })
  connector.connects.fail(new Error('refused'))
  watch(pool.acquire())
  await clock.advance(100)
  connector.connects.pass()
  await clock.advance(1_000)
  const caller = watch(pool.acquire({ timeout: 1_000 }))
  await clock.advance(1_000)
  expect(caller.reason).toBeInstanceOf(PoolTimeoutError)
  expect(caller.reason).not.toHaveProperty('cause')
})

test('an error storm of 10,000 waiters makes a bounded number of attempts, one at a time', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 100 })
  connector.connects.fail(new Error('refused'))
  const callers = Array.from({ length: 10_000 }, () => watch(pool.acquire()))
  let timers = 0
  for (let second = 0; second < 30; second++) {
    await clock.advance(1_000)
    timers = Math.max(timers, clock.timers)
  }
  expect(callers.every(({ reason }) => reason instanceof PoolTimeoutError)).toBe(true)
  expect(connector.connects.calls).toBeLessThan(100)
  expect(timers).toBeLessThanOrEqual(2)
  expect(pool.waitingSize).toBe(0)
})

test('I10: the first success comes within a second of the server accepting again, whatever the jitter', async () => {
  for (const random of [() => 0, () => 0.999]) {
    const { pool, connector, clock } = await openPool({ random })
    connector.connects.fail(new Error('refused'))
    const caller = watch(pool.acquire({ timeout: 0 }))
    await clock.advance(60_000)
    connector.connects.pass()
    await clock.advance(1_000)
    expect(caller.state).toBe('fulfilled')
  }
})

test('after the first success the connects go side by side again', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 10 })
  connector.connects.fail(new Error('refused'))
  for (let i = 0; i < 10; i++) watch(pool.acquire())
  await clock.advance(5_000)
  connector.connects.hold()
  await clock.advance(500)
  expect(connector.connects.held).toBe(1)
  connector.connects.succeed()
  await settled()
  expect(connector.connects.held).toBe(4)
})

test('connects that fail side by side slow the pool down once', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 10 })
  const first = pool.acquire()
  await first
  connector.connects.hold()
  for (let i = 0; i < 4; i++) watch(pool.acquire())
  expect(connector.connects.held).toBe(4)
  for (let i = 0; i < 4; i++) connector.connects.reject(new Error('refused'))
  await clock.advance(50)
  expect(connector.connects.calls).toBe(6)
})

test('a server that drops every new connection sees a probe and one round of connects a delay', async () => {
  const { pool, connector, clock } = makePool({ minSize: 5 })
  pool.on('open', ({ connection }) => void queueMicrotask(() => connection.die()))
  watch(pool.acquire({ timeout: 100 }))
  await clock.advance(30_000)
  expect(connector.connects.calls).toBeLessThan(100 * 5)
})

test('a connector that throws instead of rejecting does no more harm', async () => {
  const { pool, connector, clock } = await openPool()
  const connect = connector.connect
  connector.connect = () => {
    throw new Error('thrown')
  }
  const caller = watch(pool.acquire())
  await settled()
  expect(pool.stats().totals.connectFailures).toBe(1)
  connector.connect = connect
  await clock.advance(50)
  expect(caller.state).toBe('fulfilled')
})

test('a failed connect sets no timer to try again where nobody needs another', async () => {
  const { pool, connector, clock } = await openPool()
  connector.connects.fail(new PermanentError('wrong password'))
  await expect(pool.acquire({ timeout: 0 })).rejects.toThrow('wrong password')
  expect(clock.timers).toBe(0)
})

test('R2: a connect of the floor that fails for good rejects nobody, and the floor is tried again', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1 })
  await clock.advance(10_000)
  connector.connects.fail(new PermanentError('wrong password'))
  for (const connection of connector.present) connection.die()
  await clock.advance(1_000)
  expect(pool.size).toBe(0)
  connector.connects.pass()
  await clock.advance(1_000)
  expect(pool.size).toBe(1)
})
