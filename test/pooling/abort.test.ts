import { expect, test } from 'vitest'
import { expectSlotsToAddUp, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

const reason = new Error('the client hung up')

test('acquire with a signal that is already aborted rejects with its reason, even where a connection is idle', async () => {
  const { pool } = await openPool({ minSize: 1 })
  await expect(pool.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(pool.idleSize).toBe(1)
})

test('an abort in the queue rejects at once, with the reason, and leaves the queue', async () => {
  const { pool } = await openPool({ maxSize: 1 })
  const lease = await pool.acquire()
  const abort = new AbortController()
  const caller = watch(pool.acquire({ signal: abort.signal }))
  abort.abort(reason)
  expect(pool.waitingSize).toBe(0)
  await settled()
  expect(caller.reason).toBe(reason)
  lease.release()
  expect(pool.idleSize).toBe(1)
})

test('an abort during the check leaves the checked connection to the pool', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, maxSize: 1 })
  await clock.advance(5_000)
  connector.checks.hold()
  const abort = new AbortController()
  const caller = watch(pool.acquire({ signal: abort.signal }))
  abort.abort(reason)
  await settled()
  expect(caller.reason).toBe(reason)
  connector.checks.succeed()
  await settled()
  expect(pool.idleSize).toBe(1)
})

test('an abort during setup rejects at once; the connection is reset and goes to the next', async () => {
  const harness = await openPool({ maxSize: 1, setup: true, resetsTakeTime: true })
  const { pool, connector } = harness
  connector.prepares.hold()
  const abort = new AbortController()
  const caller = watch(pool.acquire({ signal: abort.signal }))
  const next = watch(pool.acquire())
  await settled()
  abort.abort(reason)
  await settled()
  expect(caller.reason).toBe(reason)
  expect(next.state).toBe('pending')
  connector.prepares.succeed()
  await settled()
  connector.prepares.succeed()
  await settled()
  expect(next.value?.connection.id).toBe(1)
  expect(connector.log).toEqual(['connect 1', 'prepare 1', 'reset 1', 'prepare 1'])
  expectSlotsToAddUp(harness)
})

test('a time-out during setup leaves the connection to the next as an abort does', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 1, setup: true, acquireTimeout: 100 })
  connector.prepares.hold()
  const caller = watch(pool.acquire())
  await clock.advance(100)
  expect(caller.state).toBe('rejected')
  connector.prepares.succeed()
  await settled()
  expect(pool.idleSize).toBe(1)
})

test('an abort after the hand-out changes nothing', async () => {
  const { pool } = await openPool({ maxSize: 1 })
  const abort = new AbortController()
  const lease = await pool.acquire({ signal: abort.signal })
  abort.abort(reason)
  expect(pool.stats().leased).toBe(1)
  lease.release()
  expect(pool.idleSize).toBe(1)
})

test('I9: no listener stays on a signal, however the wait ends', async () => {
  const { pool, clock } = await openPool({ maxSize: 1 })
  let lease = await pool.acquire()
  const abort = new AbortController()
  let listeners = 0
  const { signal } = abort
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove(...args)
  }
  const served = pool.acquire({ signal })
  const late = watch(pool.acquire({ signal, timeout: 10 }))
  expect(listeners).toBe(2)
  lease.release()
  lease = await served
  await clock.advance(10)
  expect(late.state).toBe('rejected')
  expect(listeners).toBe(0)
})
