import { expect, test } from 'vitest'
import { Events, type PoolEvents } from '../../src/pooling/events.ts'
import { PermanentError } from './support/fake-connector.ts'
import { type Harness, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('a hand-out and its end are told with their times', async () => {
  const { pool, clock } = await openPool({ maxSize: 1 })
  const seen: unknown[] = []
  pool.on('acquire', ({ connection, ...rest }) => seen.push({ id: connection.id, ...rest }))
  pool.on('release', ({ connection, ...rest }) => seen.push({ id: connection.id, ...rest }))
  await clock.advance(5_000)
  const lease = await pool.acquire({ holder: 'a' })
  const waiter = pool.acquire({ holder: 'b' })
  await clock.advance(100)
  lease.release()
  ;(await waiter).release()
  expect(seen).toEqual([
    { id: 1, number: 1, holder: 'a', waited: 0 },
    { id: 1, number: 1, holder: 'a', held: 100 },
    { id: 1, number: 2, holder: 'b', waited: 100 },
    { id: 1, number: 2, holder: 'b', held: 0 },
  ])
})

test('each connection is told when it opens, and why when it closes', async () => {
  const { pool, clock } = await openPool({ maxInactiveConnectionLifetime: '10s' })
  const seen: string[] = []
  pool.on('open', ({ connection }) => seen.push(`open ${connection.id}`))
  pool.on('close', ({ connection, reason, error }) => seen.push(`close ${connection.id} ${reason} ${error}`))
  ;(await pool.acquire()).release()
  await clock.advance(10_000)
  const lease = await pool.acquire()
  lease.connection.die(new Error('reset by peer'))
  await pool.acquire()
  await pool.terminate()
  expect(seen).toEqual([
    'open 1',
    'close 1 idle undefined',
    'open 2',
    'close 2 lost Error: reset by peer',
    'open 3',
    expect.stringMatching(/^close 3 terminated PoolClosedError/),
  ])
})

test('a failed connect is told with the time until the next', async () => {
  const { pool, connector, clock } = await openPool()
  const seen: unknown[] = []
  pool.on('connectFailed', (event) => seen.push(event))
  await clock.advance(5_000)
  const wrong = new PermanentError('wrong password')
  connector.connects.fail(wrong)
  watch(pool.acquire())
  await settled()
  expect(seen).toEqual([{ error: wrong, permanent: true, retryIn: 37.5 }])
})

test('a listener that throws or rejects hurts nobody, and the others are warned of it', async () => {
  const { pool } = await openPool()
  const warnings: unknown[] = []
  pool.on('acquire', () => 'what a listener returns is its own affair')
  const failures = [new Error('thrown'), new Error('rejected')]
  pool.on('acquire', () => {
    throw failures[0]
  })
  pool.on('acquire', () => Promise.reject(failures[1]))
  pool.on('warning', ({ message, error }) => {
    warnings.push([message, error])
    throw new Error('a warning that fails')
  })
  const lease = await pool.acquire()
  lease.release()
  await settled()
  expect(warnings).toEqual(failures.map((failure) => ["a listener to 'acquire' failed", failure]))
  expect(pool.idleSize).toBe(1)
})

test('a listener is taken off by the function that on returned, and only that one', async () => {
  const { pool } = await openPool()
  let calls = 0
  const listener = () => {
    calls++
  }
  const off = pool.on('release', listener)
  pool.on('release', listener)
  off()
  off()
  ;(await pool.acquire()).release()
  expect(calls).toBe(1)
})

test('a listener may use the pool: a terminate from within release ends that connection once', async () => {
  const { pool, connector, clock } = await openPool()
  pool.on('release', () => pool.terminate())
  ;(await pool.acquire()).release()
  await pool.terminate()
  expect(connector.log).toEqual(['connect 1', 'terminate 1'])
  expect(clock.timers).toBe(0)
})

test('listeners that go well, and events that nobody listens to, are no cause for a warning', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 1, leakThreshold: '1s' })
  const warnings: unknown[] = []
  pool.on('warning', (warning) => warnings.push(warning))
  pool.on('acquire', () => {})
  connector.connects.fail(new Error('refused'))
  const caller = pool.acquire()
  await settled()
  connector.connects.pass()
  await clock.advance(2_000)
  await caller
  await clock.advance(2_000)
  await pool.terminate()
  expect(warnings).toEqual([])
})

test('a listener may use the pool: what it acquires while idle connections are closed one by one is not closed', async () => {
  const rounds: ((harness: Harness) => unknown)[] = [
    ({ pool }) => pool.resize({ maxSize: 1 }),
    ({ clock }) => clock.advance(10_000),
  ]
  for (const round of rounds) {
    const harness = await openPool({ maxSize: 3, maxInactiveConnectionLifetime: '10s', checkIdleAfter: 0 })
    const { pool, connector } = harness
    for (const lease of await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])) lease.release()
    const off = pool.on('close', () => {
      off()
      watch(pool.acquire())
      watch(pool.acquire())
    })
    await round(harness)
    expect(connector.log.slice(3)).toEqual(['close 1'])
    expect(pool.stats().leased).toBe(2)
  }
})

test('a listener may use the pool: an acquire from within close queues behind those who wait', async () => {
  const { pool } = await openPool({ maxSize: 1, maxQueries: 1 })
  const order: string[] = []
  pool.on('close', () => {
    pool.acquire().then(
      () => order.push('listener'),
      () => {},
    )
  })
  const lease = await pool.acquire()
  pool.acquire().then((next) => {
    order.push('waiter')
    next.release()
  })
  lease.connection.commands = 1
  lease.release()
  await settled()
  expect(order).toEqual(['waiter', 'listener'])
  await pool.terminate()
})

test('an event is worth its payload only while somebody listens to it', () => {
  const names: (keyof PoolEvents<object>)[] = [
    'open',
    'close',
    'acquire',
    'release',
    'leak',
    'connectFailed',
    'warning',
  ]
  const events = new Events<object>()
  for (const name of names) {
    expect(events.listeners[name]).toHaveLength(0)
    const off = events.on(name, () => {})
    expect(events.listeners[name]).toHaveLength(1)
    off()
    expect(events.listeners[name]).toHaveLength(0)
  }
})
