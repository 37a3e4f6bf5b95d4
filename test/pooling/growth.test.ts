import { expect, test } from 'vitest'
import { expectSlotsToAddUp, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

/** A pool that has shown that its server accepts connections, with one in use. */
async function warmPool(options: Parameters<typeof openPool>[0]) {
  const harness = await openPool(options)
  const lease = await harness.pool.acquire()
  harness.connector.connects.hold()
  return { ...harness, harness, lease }
}

test('R4: with none idle and room left, a connection is opened for the caller', async () => {
  const { pool, connector, harness } = await warmPool({ maxSize: 2 })
  const caller = watch(pool.acquire())
  expect(connector.connects.held).toBe(1)
  connector.connects.succeed()
  await settled()
  expect(caller.value?.connection.id).toBe(2)
  expectSlotsToAddUp(harness)
})

test('R4: a waiter takes a released connection if that comes before its connect', async () => {
  const { pool, connector, lease } = await warmPool({ maxSize: 2 })
  const caller = watch(pool.acquire())
  lease.release()
  await settled()
  expect(caller.value?.connection.id).toBe(1)
  expect(connector.connects.held).toBe(1)
})

test('R4: a connect that nobody waits for any more joins the pool', async () => {
  const { pool, connector, lease } = await warmPool({ maxSize: 2 })
  watch(pool.acquire())
  lease.release()
  connector.connects.succeed()
  await settled()
  expect(pool.idleSize).toBe(1)
  expect((await pool.acquire()).connection.id).toBe(2)
})

test('R4: a connect whose caller gave up joins the pool', async () => {
  const { pool, connector } = await warmPool({ maxSize: 2 })
  const abort = new AbortController()
  const caller = watch(pool.acquire({ signal: abort.signal }))
  abort.abort()
  connector.connects.succeed()
  await settled()
  expect(caller.state).toBe('rejected')
  expect(pool.idleSize).toBe(1)
})

test('R4: a late connect serves whoever waits by then', async () => {
  const { pool, connector } = await warmPool({ maxSize: 2 })
  const abort = new AbortController()
  watch(pool.acquire({ signal: abort.signal }))
  const next = watch(pool.acquire())
  abort.abort()
  connector.connects.succeed()
  await settled()
  expect(next.value?.connection.id).toBe(2)
})

test('R4: at most connectConcurrency are being opened, however many wait', async () => {
  const { pool, connector, harness } = await warmPool({ maxSize: 20, connectConcurrency: 3 })
  for (let i = 0; i < 50; i++) watch(pool.acquire())
  expect(connector.connects.held).toBe(3)
  connector.connects.succeed()
  await settled()
  expect(connector.connects.held).toBe(3)
  expectSlotsToAddUp(harness)
})

test('R4: no more are being opened than there are callers without a connection', async () => {
  const { pool, connector } = await warmPool({ maxSize: 20 })
  watch(pool.acquire())
  watch(pool.acquire())
  expect(connector.connects.held).toBe(2)
})

test('R4: a spike of callers on warm connections is served by these, and opens few', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 5, maxSize: 50 })
  connector.connects.hold()
  let done = 0
  for (let i = 0; i < 50; i++) {
    pool.acquire().then((lease) => {
      clock.setTimer(2, () => {
        done++
        lease.release()
      })
    })
  }
  await clock.advance(20)
  expect(done).toBe(50)
  expect(connector.connects.held).toBe(4)
})

test('R4: the pool never has more than maxSize, those being closed among them', async () => {
  const { pool, connector, lease, harness } = await warmPool({ maxSize: 1, maxQueries: 1 })
  const caller = watch(pool.acquire())
  connector.closes.hold()
  lease.connection.commands = 1
  lease.release()
  await settled()
  expect(connector.connects.held).toBe(0)
  expectSlotsToAddUp(harness)
  connector.closes.succeed()
  await settled()
  expect(connector.connects.held).toBe(1)
  connector.connects.succeed()
  await settled()
  expect(caller.value?.connection.id).toBe(2)
})
