import { expect, test } from 'vitest'
import { PoolClosedError, PoolTimeoutError } from '../../src/errors.ts'
import { openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R13: terminate ends connections in every state, rejects all who wait, and leaves nothing', async () => {
  const { pool, connector, clock } = await openPool({
    minSize: 3,
    maxSize: 6,
    setup: true,
    resetsTakeTime: true,
    maxQueries: 10,
  })
  const [leased, resetting, closing] = [await pool.acquire(), await pool.acquire(), await pool.acquire()]
  const idle = await pool.acquire()
  idle.release()
  await clock.advance(5_000)
  connector.checks.hold()
  const checked = watch(pool.acquire())
  connector.checks.succeed()
  connector.prepares.hold()
  await settled()
  connector.resets.hold()
  resetting.release()
  connector.closes.hold()
  closing.connection.commands = 10
  closing.release()
  connector.connects.hold()
  const waiter = watch(pool.acquire({ timeout: 0 }))
  expect(pool.stats()).toMatchObject({
    leased: 1,
    preparing: 1,
    resetting: 1,
    closing: 1,
    connecting: 1,
    waiting: 1,
  })
  await pool.terminate()
  expect(checked.reason).toBeInstanceOf(PoolClosedError)
  expect(waiter.reason).toBeInstanceOf(PoolClosedError)
  expect(connector.present.size).toBe(0)
  expect(connector.connecting).toBe(0)
  expect(clock.timers).toBe(0)
  leased.release()
  expect(pool.stats()).toMatchObject({ size: 0, free: 6, leased: 0, closing: 0, connecting: 0 })
})

test('R13: terminate resolves only when all is gone', async () => {
  const { pool, connector } = await openPool({ minSize: 2 })
  connector.terminates.hold()
  const terminated = watch(pool.terminate())
  connector.terminates.succeed()
  await settled()
  expect(terminated.state).toBe('pending')
  connector.terminates.succeed()
  await settled()
  expect(terminated.state).toBe('fulfilled')
})

test('R13: terminate during close resolves both, and needs no release', async () => {
  const { pool, clock } = await openPool()
  await pool.acquire()
  const closed = watch(pool.close({ timeout: 10_000 }))
  await pool.terminate()
  await settled()
  expect(closed.state).toBe('fulfilled')
  expect(clock.timers).toBe(0)
})

test('after terminate, open and acquire reject and close resolves', async () => {
  const { pool } = await openPool()
  await pool.terminate()
  await expect(pool.acquire()).rejects.toBeInstanceOf(PoolClosedError)
  await expect(pool.open()).rejects.toBeInstanceOf(PoolClosedError)
  await pool.close()
})

test('a connect that succeeds in spite of its abort is terminated', async () => {
  const { pool, connector, clock } = await openPool()
  let succeed = () => {}
  const { connect } = connector
  connector.connect = async (lost) => {
    await new Promise<void>((resolve) => {
      succeed = resolve
    })
    return connect.call(connector, lost, new AbortController().signal)
  }
  watch(pool.acquire())
  const terminated = watch(pool.terminate())
  await settled()
  expect(terminated.state).toBe('pending')
  succeed()
  await settled()
  expect(terminated.state).toBe('fulfilled')
  expect(connector.log).toEqual(['connect 1', 'terminate 1'])
  expect(pool.stats().totals.closed.poolClosed).toBe(1)
  expect(clock.timers).toBe(0)
})

test('a connect that terminate gives up is told why by its signal', async () => {
  const { pool, connector } = await openPool()
  connector.connects.hold()
  watch(pool.acquire())
  await pool.terminate()
  expect(connector.signals.map(({ reason }) => reason)).toEqual([
    new PoolClosedError('the pool is closing and needs no further connection'),
  ])
})

test('a connect that ignores its abort is given up after closeTimeout, and terminated should it come', async () => {
  const { pool, connector, clock } = await openPool({ closeTimeout: '5s' })
  let succeed = () => {}
  const { connect } = connector
  connector.connect = async (lost) => {
    await new Promise<void>((resolve) => {
      succeed = resolve
    })
    return connect.call(connector, lost, new AbortController().signal)
  }
  watch(pool.acquire())
  const warnings: string[] = []
  pool.on('warning', ({ message }) => warnings.push(message))
  const terminated = watch(pool.terminate())
  await clock.advance(5_000)
  expect(terminated.state).toBe('fulfilled')
  expect(warnings).toEqual(['a connect did not end after its abort and was given up'])
  const broken = new Error('broken pipe')
  connector.terminates.fail(broken)
  const told: unknown[] = []
  pool.on('warning', (warning) => told.push(warning))
  succeed()
  await settled()
  expect(connector.log).toEqual(['connect 1', 'terminate 1'])
  const message = 'a connection that came after its connect was given up could not be terminated'
  expect(told).toEqual([{ message, error: broken }])
})

test('R14: a terminate that hangs is given up after closeTimeout, with a warning', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, closeTimeout: '5s' })
  const warnings: unknown[] = []
  pool.on('warning', (warning) => warnings.push(warning))
  connector.terminates.hold()
  const terminated = watch(pool.terminate())
  await clock.advance(5_000)
  expect(terminated.state).toBe('fulfilled')
  const message = 'a connection could not be terminated and was given up'
  const error = new PoolTimeoutError('the connection did not go within closeTimeout (5 s)')
  expect(warnings).toEqual([{ message, error }])
  expect(clock.timers).toBe(0)
})

test('a connect that was given up may fail as late as it likes', async () => {
  const { pool, connector, clock } = await openPool({ closeTimeout: '5s' })
  let fail = (_: Error) => {}
  connector.connect = () =>
    new Promise((_, reject) => {
      fail = reject
    })
  watch(pool.acquire())
  const terminated = watch(pool.terminate())
  await clock.advance(5_000)
  fail(new Error('too late'))
  await settled()
  expect(terminated.state).toBe('fulfilled')
  expect(pool.stats()).toMatchObject({ free: 10, totals: { connectFailures: 0 } })
})

test('I9: a terminate while the server is away leaves no timer', async () => {
  const { pool, connector, clock } = await openPool()
  connector.connects.fail(new Error('refused'))
  watch(pool.acquire({ timeout: 0 }))
  await settled()
  expect(clock.timers).toBe(1)
  await pool.terminate()
  expect(clock.timers).toBe(0)
})

test('R13: terminate waits for what is being terminated already, and lets go at once what is closing, counted once', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 2, maxQueries: 1 })
  const [lost, worn] = [await pool.acquire(), await pool.acquire()]
  connector.terminates.hold()
  connector.closes.hold()
  lost.connection.die()
  worn.connection.commands = 1
  worn.release()
  const terminated = watch(pool.terminate())
  expect(pool.terminate()).toBe(pool.terminate())
  expect(connector.log.slice(2)).toEqual(['terminate 1', 'close 2', 'terminate 2'])
  connector.terminates.succeed()
  await settled()
  expect(terminated.state).toBe('pending')
  connector.terminates.succeed()
  await settled()
  expect(terminated.state).toBe('fulfilled')
  expect(pool.stats().totals.closed).toMatchObject({ lost: 1, maxQueries: 1, terminated: 0 })
  expect(clock.timers).toBe(0)
})
