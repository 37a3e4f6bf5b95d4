import { expect, test } from 'vitest'
import { PoolTimeoutError } from '../../src/errors.ts'
import { expectSlotsToAddUp, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R11: setup runs before each hand-out', async () => {
  const { pool, connector } = await openPool({ maxSize: 1, setup: true })
  for (let i = 0; i < 2; i++) (await pool.acquire()).release()
  expect(connector.log).toEqual(['connect 1', 'prepare 1', 'prepare 1'])
})

test('R11: a setup that throws closes its connection and rejects its caller; the pool goes on at full capacity', async () => {
  const harness = await openPool({ minSize: 1, maxSize: 1, setup: true })
  const { pool, connector } = harness
  const failure = new Error('setup failed')
  connector.prepares.fail(failure)
  await expect(pool.acquire()).rejects.toBe(failure)
  connector.prepares.pass()
  await settled()
  expect(connector.log).toEqual(['connect 1', 'prepare 1', 'close 1', 'connect 2'])
  expect(pool.stats().totals.closed.prepareFailed).toBe(1)
  expect((await pool.acquire()).connection.id).toBe(2)
  expectSlotsToAddUp(harness)
})

test('R11: a setup that exceeds hookTimeout terminates its connection and rejects its caller', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 1, setup: true, hookTimeout: '3s' })
  connector.prepares.hold()
  const caller = watch(pool.acquire())
  await clock.advance(3_000)
  expect(caller.reason).toBeInstanceOf(PoolTimeoutError)
  expect((caller.reason as Error).message).toBe(
    'the setup hook took longer than hookTimeout (3 s); its connection was closed',
  )
  expect(connector.log).toEqual(['connect 1', 'prepare 1', 'terminate 1'])
})

test('R11: a setup that settles after its time is not heard', async () => {
  const harness = await openPool({ minSize: 1, maxSize: 1, setup: true, hookTimeout: '3s' })
  const { pool, connector, clock } = harness
  connector.prepares.hold()
  watch(pool.acquire())
  await clock.advance(3_000)
  connector.prepares.succeed()
  await settled()
  expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
  expectSlotsToAddUp(harness)
})

test('R11: a setup that fails after its time is not heard', async () => {
  const harness = await openPool({ minSize: 1, maxSize: 1, setup: true, hookTimeout: '3s' })
  const { pool, connector, clock } = harness
  connector.prepares.hold()
  watch(pool.acquire())
  await clock.advance(3_000)
  connector.prepares.reject(new Error('too late'))
  await settled()
  expect(pool.stats()).toMatchObject({ idle: 1, totals: { closed: { prepareFailed: 1 } } })
  expectSlotsToAddUp(harness)
})

test('R11: setup runs for each waiter to whom a connection is handed on without rest', async () => {
  const { pool, connector } = await openPool({ maxSize: 1, setup: true })
  const lease = await pool.acquire()
  const abort = new AbortController()
  const left = watch(pool.acquire({ signal: abort.signal }))
  const next = watch(pool.acquire())
  connector.prepares.hold()
  lease.release()
  abort.abort()
  connector.prepares.succeed()
  await settled()
  connector.prepares.succeed()
  await settled()
  expect([left.state, next.state]).toEqual(['rejected', 'fulfilled'])
  expect(connector.log).toEqual(['connect 1', 'prepare 1', 'prepare 1', 'prepare 1'])
})

test('R11: a reset that fails closes its connection and has it replaced; its waiter gets another', async () => {
  const { pool, connector } = await openPool({ maxSize: 1, resetsTakeTime: true })
  const lease = await pool.acquire()
  const waiter = watch(pool.acquire())
  connector.resets.fail(new Error('reset failed'))
  lease.release()
  await settled()
  expect(connector.log).toEqual(['connect 1', 'reset 1', 'close 1', 'connect 2'])
  expect(waiter.value?.connection.id).toBe(2)
})

test('R11: a reset that exceeds hookTimeout terminates its connection', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, resetsTakeTime: true, hookTimeout: '3s' })
  const lease = await pool.acquire()
  connector.resets.hold()
  const closes: unknown[] = []
  pool.on('close', ({ reason, error }) => closes.push({ reason, error }))
  lease.release()
  await clock.advance(3_000)
  expect(connector.log).toEqual(['connect 1', 'reset 1', 'terminate 1', 'connect 2'])
  const error = new PoolTimeoutError(
    'the reset took longer than hookTimeout (3 s); its connection was closed',
  )
  expect(closes).toEqual([{ reason: 'resetFailed', error }])
})

test('R11: hooks that throw instead of rejecting are treated alike', async () => {
  const { pool, connector } = await openPool({ maxSize: 1, setup: true, resetsTakeTime: true })
  const failure = new Error('thrown')
  const thrower = () => {
    throw failure
  }
  const { prepare, reset } = connector
  connector.prepare = thrower
  await expect(pool.acquire()).rejects.toBe(failure)
  connector.prepare = prepare!
  connector.reset = thrower
  const lease = await pool.acquire()
  lease.release()
  connector.reset = reset
  await settled()
  expect(connector.log.slice(1)).toEqual(['close 1', 'connect 2', 'prepare 2', 'close 2'])
})

test('hookTimeout 0 sets no limit', async () => {
  const { pool, connector, clock } = await openPool({ setup: true, hookTimeout: 0 })
  connector.prepares.hold()
  const caller = watch(pool.acquire({ timeout: 0 }))
  await clock.advance(3_600_000)
  connector.prepares.succeed()
  await settled()
  expect(caller.state).toBe('fulfilled')
})
