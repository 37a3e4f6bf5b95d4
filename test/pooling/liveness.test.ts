import { expect, test } from 'vitest'
import { PoolTimeoutError } from '../../src/errors.ts'
import { expectSlotsToAddUp, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R15: a connection idle for longer than checkIdleAfter is checked before it is handed out', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, checkIdleAfter: '1s' })
  await clock.advance(1_000)
  const lease = await pool.acquire()
  expect(connector.checks.calls).toBe(0)
  lease.release()
  await clock.advance(1_001)
  const again = await pool.acquire()
  expect(connector.checks.calls).toBe(1)
  again.release()
  ;(await pool.acquire()).release()
  expect(connector.checks.calls).toBe(1)
})

test("R15: 'always' checks every connection that was idle, and 0 none", async () => {
  const always = await openPool({ minSize: 1, checkIdleAfter: 'always' })
  for (let i = 0; i < 3; i++) (await always.pool.acquire()).release()
  expect(always.connector.checks.calls).toBe(3)
  const never = await openPool({ minSize: 1, checkIdleAfter: 0 })
  await never.clock.advance(200_000)
  await never.pool.acquire()
  expect(never.connector.checks.calls).toBe(0)
})

test('R15: a dead one is replaced without the caller noticing, up to the whole pool', async () => {
  const harness = await openPool({ minSize: 4, maxSize: 4 })
  const { pool, connector, clock } = harness
  await clock.advance(5_000)
  connector.connects.hold()
  connector.checks.fail(new Error('no answer'))
  const caller = watch(pool.acquire())
  await settled()
  expect(connector.checks.calls).toBe(4)
  expect(pool.stats().totals.closed.checkFailed).toBe(4)
  expect(caller.state).toBe('pending')
  connector.connects.succeed()
  await settled()
  expect(caller.value?.connection.id).toBe(5)
  expectSlotsToAddUp(harness)
})

test('R15: a check is bounded by checkTimeout, and its connection terminated', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 1, checkTimeout: '2s' })
  ;(await pool.acquire()).release()
  await clock.advance(5_000)
  connector.checks.hold()
  const caller = watch(pool.acquire())
  const errors: unknown[] = []
  pool.on('close', ({ error }) => errors.push(error))
  await clock.advance(2_000)
  expect(connector.log).toEqual(['connect 1', 'check 1', 'terminate 1', 'connect 2'])
  expect(caller.value?.connection.id).toBe(2)
  expect(errors).toEqual([
    new PoolTimeoutError('the liveness check took longer than checkTimeout (2 s); its connection was closed'),
  ])
})

test('R15: when the whole pool has gone silent, a fresh connect serves after one check, not after all of them', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 0, maxSize: 10, checkTimeout: '2s' })
  const leases = await Promise.all(Array.from({ length: 8 }, () => pool.acquire()))
  for (const lease of leases) lease.release()
  await clock.advance(5_000)
  connector.checks.hold()
  const caller = watch(pool.acquire())
  await clock.advance(2_000)
  expect(caller.value?.connection.id).toBe(9)
})

test('R15: a caller whose check is under way takes whatever comes first', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 2, maxSize: 2 })
  const lease = await pool.acquire()
  await clock.advance(5_000)
  connector.checks.hold()
  const caller = watch(pool.acquire())
  lease.release()
  await settled()
  expect(caller.value?.connection).toBe(lease.connection)
  connector.checks.succeed()
  await settled()
  expect(pool.idleSize).toBe(1)
})

test('R15: a check serves one waiter, so further callers have further ones checked', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 3, maxSize: 3 })
  await clock.advance(5_000)
  connector.checks.hold()
  const callers = [watch(pool.acquire()), watch(pool.acquire())]
  expect(connector.checks.held).toBe(2)
  connector.checks.succeed(1)
  await settled()
  expect(callers.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
})

test('R15: a loss during a check has a connect opened beside the next check', async () => {
  const { pool, connector, clock } = await openPool()
  const leases = await Promise.all([pool.acquire(), pool.acquire()])
  for (const lease of leases) lease.release()
  await clock.advance(5_000)
  connector.checks.hold()
  connector.connects.hold()
  watch(pool.acquire())
  leases[1]!.connection.die()
  expect(connector.checks.held).toBe(2)
  expect(connector.connects.held).toBe(1)
})

test('R15: once a connect has succeeded a check under way is waited for again', async () => {
  const { pool, connector, clock } = await openPool()
  ;(await pool.acquire()).release()
  await clock.advance(5_000)
  connector.checks.fail(new Error('no answer'))
  ;(await pool.acquire()).release()
  await clock.advance(5_000)
  connector.checks.hold()
  connector.connects.hold()
  watch(pool.acquire())
  expect(connector.checks.held).toBe(1)
  expect(connector.connects.held).toBe(0)
})

test('after distrust each connection that is idle is checked once before it is handed out', async () => {
  const { pool, connector } = await openPool({ minSize: 2, maxSize: 2 })
  pool.distrust()
  const [one] = [await pool.acquire(), await pool.acquire()]
  expect(connector.checks.calls).toBe(2)
  one.release()
  await pool.acquire()
  expect(connector.checks.calls).toBe(2)
})

test('distrust leaves a pool alone that never checks', async () => {
  const { pool, connector } = await openPool({ minSize: 1, checkIdleAfter: 0 })
  pool.distrust()
  await pool.acquire()
  expect(connector.checks.calls).toBe(0)
})
