import { expect, test } from 'vitest'
import { InterfaceError, PoolClosedError, PoolTimeoutError } from '../../src/errors.ts'
import { makePool, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R13: close refuses new callers, serves those who wait, and resolves when all is back and closed', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, maxSize: 1, resetsTakeTime: true })
  const lease = await pool.acquire()
  const waiter = watch(pool.acquire())
  const closed = watch(pool.close())
  await expect(pool.acquire()).rejects.toBeInstanceOf(PoolClosedError)
  expect(pool.isClosing).toBe(true)
  lease.release()
  await settled()
  expect(waiter.value?.connection.id).toBe(1)
  expect(closed.state).toBe('pending')
  connector.closes.hold()
  waiter.value!.release()
  await settled()
  expect(closed.state).toBe('pending')
  connector.closes.succeed()
  await settled()
  expect(closed.state).toBe('fulfilled')
  expect(connector.present.size).toBe(0)
  expect(clock.timers).toBe(0)
})

test('R13: close closes idle connections at once, side by side', async () => {
  const { pool, connector } = await openPool({ minSize: 3 })
  connector.closes.hold()
  watch(pool.close())
  expect(connector.closes.held).toBe(3)
  expect(pool.stats().totals.closed.poolClosed).toBe(3)
})

test('R13: close opens what those who wait need, and aborts the connects that nobody needs', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 3 })
  const lease = await pool.acquire()
  connector.connects.hold()
  const callers = [watch(pool.acquire()), watch(pool.acquire())]
  const closed = watch(pool.close())
  connector.connects.succeed()
  await settled()
  expect(callers.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
  lease.release()
  await settled()
  expect(callers[1]!.state).toBe('fulfilled')
  expect(connector.connecting).toBe(0)
  for (const caller of callers) caller.value!.release()
  await settled()
  expect(closed.state).toBe('fulfilled')
  expect(clock.timers).toBe(0)
})

test('R13: those who wait during close still time out, and the close goes on', async () => {
  const { pool, clock } = await openPool({ maxSize: 1 })
  const lease = await pool.acquire()
  const waiter = watch(pool.acquire({ timeout: 100 }))
  const closed = watch(pool.close())
  await clock.advance(100)
  expect(waiter.reason).toBeInstanceOf(PoolTimeoutError)
  lease.release()
  await settled()
  expect(closed.state).toBe('fulfilled')
})

test('R13: an abort of the last waiter lets close go on', async () => {
  const { pool, connector } = await openPool({ maxSize: 1 })
  connector.connects.hold()
  const abort = new AbortController()
  watch(pool.acquire({ signal: abort.signal }))
  const closed = watch(pool.close())
  await settled()
  expect(closed.state).toBe('pending')
  abort.abort()
  await settled()
  expect(closed.state).toBe('fulfilled')
})

test('R13: a check that is under way does not hold up the close', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1 })
  await clock.advance(5_000)
  connector.checks.hold()
  const abort = new AbortController()
  watch(pool.acquire({ signal: abort.signal }))
  abort.abort()
  await pool.close()
  expect(connector.present.size).toBe(0)
})

test('R13: a second close returns the same promise, and its timeout does not count', async () => {
  const { pool, clock } = await openPool()
  const lease = await pool.acquire()
  const closed = pool.close()
  expect(pool.close({ timeout: 10 })).toBe(closed)
  await clock.advance(1_000)
  lease.release()
  await closed
})

test('R13: after its timeout close terminates and rejects with the names of the holders', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 3 })
  await pool.acquire({ holder: 'GET /tasks' })
  await clock.advance(1_000)
  await pool.acquire()
  const closed = watch(pool.close({ timeout: 5_000 }))
  connector.terminates.hold()
  await clock.advance(5_000)
  expect(closed.state).toBe('pending')
  connector.terminates.succeed()
  connector.terminates.succeed()
  await settled()
  expect(closed.reason).toBeInstanceOf(PoolTimeoutError)
  expect((closed.reason as Error).message).toBe(
    'the pool could not close within 5 s; not released: held for 6 s by GET /tasks, held for 5 s; ' +
      'what was left has been terminated',
  )
  expect(connector.present.size).toBe(0)
  expect(clock.timers).toBe(0)
})

test('R13: a close that times out on waiters says what they wait for', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 1 })
  connector.connects.fail(new Error('refused'))
  const waiter = watch(pool.acquire({ timeout: 0 }))
  const closed = watch(pool.close({ timeout: 5_000 }))
  await clock.advance(5_000)
  expect(waiter.reason).toBeInstanceOf(PoolClosedError)
  expect((closed.reason as Error).message).toContain('1 waiting; the last connect failed: refused')
})

test('R13: close warns once after a minute', async () => {
  const { pool, clock } = await openPool()
  const warnings: string[] = []
  pool.on('warning', ({ message }) => warnings.push(message))
  const lease = await pool.acquire({ holder: 'a job' })
  const closed = pool.close()
  await clock.advance(59_999)
  expect(warnings).toEqual([])
  await clock.advance(600_000)
  expect(warnings).toEqual([
    'close() has been waiting for 60 s; connections not released: held for 60 s by a job; terminate() does not wait',
  ])
  lease.release()
  await closed
})

test('R13: the warning of a close that nothing but waiters hold up tells the situation, and two holders are told apart', async () => {
  const warnings: string[] = []
  const waiting = await openPool()
  waiting.connector.connects.fail(new Error('refused'))
  waiting.pool.on('warning', ({ message }) => warnings.push(message))
  watch(waiting.pool.acquire({ timeout: 0 }))
  watch(waiting.pool.close())
  await waiting.clock.advance(60_000)
  const held = await openPool()
  held.pool.on('warning', ({ message }) => warnings.push(message))
  await held.pool.acquire({ holder: 'a job' })
  await held.pool.acquire()
  watch(held.pool.close())
  await held.clock.advance(60_000)
  expect(warnings).toEqual([
    expect.stringMatching(
      /^close\(\) has been waiting for 60 s; 0 of 10 in use, .*1 waiting; the last connect failed: refused; /,
    ),
    'close() has been waiting for 60 s; connections not released: held for 60 s by a job, held for 60 s; ' +
      'terminate() does not wait',
  ])
})

test('R13: close of a pool that was never opened, and of one that is closed, resolves', async () => {
  const { pool, connector, clock } = makePool({ minSize: 5 })
  await pool.close()
  await pool.close()
  await pool.terminate()
  expect(connector.connects.calls).toBe(0)
  expect(clock.timers).toBe(0)
})

test('R14: a close that the server does not answer is terminated after closeTimeout', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, closeTimeout: '5s' })
  connector.closes.hold()
  const closed = watch(pool.close())
  await clock.advance(4_999)
  expect(connector.log).toEqual(['connect 1', 'close 1'])
  await clock.advance(1)
  expect(connector.log).toEqual(['connect 1', 'close 1', 'terminate 1'])
  expect(closed.state).toBe('fulfilled')
})

test('a close that fails is followed by terminate', async () => {
  const { pool, connector } = await openPool({ minSize: 1 })
  connector.closes.fail(new Error('broken pipe'))
  await pool.close()
  expect(connector.log).toEqual(['connect 1', 'close 1', 'terminate 1'])
})

test('R18: a timeout that is no duration is refused, and the pool stays open', async () => {
  const { pool } = await openPool()
  const closed = pool.close({ timeout: -1 })
  await expect(closed).rejects.toBeInstanceOf(InterfaceError)
  await expect(closed).rejects.toThrow('timeout: -1 is not a duration')
  expect(pool.isClosing).toBe(false)
})

test('R13: what comes back when nobody waits any more is closed without a reset', async () => {
  const { pool, connector } = await openPool({ resetsTakeTime: true })
  const lease = await pool.acquire()
  const closed = pool.close()
  lease.release()
  await closed
  expect(connector.log).toEqual(['connect 1', 'close 1'])
  expect(pool.stats().totals.closed.poolClosed).toBe(1)
})

test('R13: a time-out of the last waiter lets close go on', async () => {
  const { pool, connector, clock } = await openPool()
  connector.connects.hold()
  watch(pool.acquire({ timeout: 100 }))
  const closed = watch(pool.close())
  await clock.advance(100)
  expect(closed.state).toBe('fulfilled')
})

test('a connect that close aborts is no failed connect', async () => {
  const { pool, connector } = await openPool({ minSize: 1, maxSize: 2 })
  await pool.acquire()
  const seen: unknown[] = []
  pool.on('connectFailed', (event) => seen.push(event))
  connector.connects.hold()
  const abort = new AbortController()
  watch(pool.acquire({ signal: abort.signal }))
  const closed = watch(pool.close())
  abort.abort()
  await settled()
  expect(connector.connecting).toBe(0)
  expect(seen).toEqual([])
  expect(pool.stats().totals.connectFailures).toBe(0)
  await pool.terminate()
  await settled()
  expect(closed.state).toBe('fulfilled')
})

test('I9: whatever is asked of a closed pool, nothing is opened and no timer set', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1 })
  await pool.close({ timeout: 1_000 })
  pool.expire()
  pool.resize({ minSize: 2 })
  pool.suspend()
  pool.resume()
  await pool.terminate()
  await clock.advance(5_000)
  expect(connector.log).toEqual(['connect 1', 'close 1'])
  expect(clock.timers).toBe(0)
  expect(pool.isClosing).toBe(true)
})

test('whatever is asked of a pool before it was opened, nothing is opened', async () => {
  const { pool, connector, clock } = makePool({ minSize: 1 })
  pool.expire()
  pool.resize({ minSize: 2 })
  pool.resume()
  pool.distrust()
  await settled()
  expect(connector.connects.calls).toBe(0)
  expect(clock.timers).toBe(0)
})
