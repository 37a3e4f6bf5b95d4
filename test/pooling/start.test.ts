import { expect, test } from 'vitest'
import { PoolClosedError } from '../../src/errors.ts'
import { PermanentError } from './support/fake-connector.ts'
import { makePool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R1: open connects the first alone, then the others side by side', async () => {
  const { pool, connector } = makePool({ minSize: 4, connectConcurrency: 3 })
  connector.connects.hold()
  const opened = watch(pool.open())
  expect(connector.connects.calls).toBe(1)
  connector.connects.succeed()
  await settled()
  expect(connector.connects.held).toBe(3)
  expect(opened.state).toBe('pending')
  for (let i = 0; i < 3; i++) connector.connects.succeed()
  await settled()
  expect(opened.state).toBe('fulfilled')
  expect(pool.idleSize).toBe(4)
})

test('R1: a start whose first connect fails rejects with that very error after one attempt', async () => {
  const { pool, connector, clock } = makePool({ minSize: 4 })
  const refused = new Error('connection refused')
  connector.connects.fail(refused)
  await expect(pool.open()).rejects.toBe(refused)
  expect(connector.connects.calls).toBe(1)
  expect(pool.isClosing).toBe(true)
  expect(clock.timers).toBe(0)
  await expect(pool.acquire()).rejects.toBeInstanceOf(PoolClosedError)
})

test('R1: when a later connect of the start fails, those under way are aborted, the open ones are closed, then it rejects', async () => {
  const { pool, connector, clock } = makePool({ minSize: 4 })
  connector.connects.hold()
  connector.closes.hold()
  const opened = watch(pool.open())
  connector.connects.succeed()
  await settled()
  const refused = new Error('too many connections')
  connector.connects.reject(refused, 1)
  await settled()
  expect(connector.connecting).toBe(0)
  expect(connector.log.slice(4)).toEqual(['close 1'])
  expect(opened.state).toBe('pending')
  connector.closes.succeed()
  await settled()
  expect(opened).toEqual({ state: 'rejected', reason: refused })
  expect(connector.present.size).toBe(0)
  expect(clock.timers).toBe(0)
})

test('R1: a server that drops a connection during the start fails the start', async () => {
  const { pool, connector } = makePool({ minSize: 2 })
  connector.connects.hold()
  const opened = watch(pool.open())
  connector.connects.succeed()
  await settled()
  const gone = new Error('gone')
  for (const connection of connector.present) connection.die(gone)
  await settled()
  expect(opened).toEqual({ state: 'rejected', reason: gone })
})

test('R1: callers that wait when the start fails get its error', async () => {
  const { pool, connector } = makePool({ minSize: 1 })
  connector.connects.hold()
  const opened = watch(pool.open())
  const caller = watch(pool.acquire())
  const refused = new Error('refused')
  connector.connects.reject(refused)
  await settled()
  expect(opened.reason).toBe(refused)
  expect(caller.reason).toBe(refused)
})

test('open twice gives the same promise, and once open it resolves at once', async () => {
  const { pool, connector } = makePool({ minSize: 2 })
  expect(pool.open()).toBe(pool.open())
  await pool.open()
  await pool.open()
  expect(connector.connects.calls).toBe(2)
})

test('a pool with no floor opens without a connection', async () => {
  const { pool, connector } = makePool({ minSize: 0 })
  await pool.open()
  expect(connector.connects.calls).toBe(0)
})

test('close during the start rejects the start and aborts its connect', async () => {
  const { pool, connector, clock } = makePool({ minSize: 1 })
  connector.connects.hold()
  const opened = watch(pool.open())
  await pool.close()
  expect(opened.reason).toBeInstanceOf(PoolClosedError)
  expect(connector.connecting).toBe(0)
  expect(clock.timers).toBe(0)
  await expect(pool.open()).rejects.toBeInstanceOf(PoolClosedError)
})

test('R1: the first acquire opens a pool that was not opened, is served by its first connect, and the floor follows', async () => {
  const { pool, connector } = makePool({ minSize: 3 })
  connector.connects.hold()
  const caller = watch(pool.acquire())
  expect(connector.connects.held).toBe(1)
  connector.connects.succeed()
  await settled()
  expect(caller.state).toBe('fulfilled')
  expect(connector.connects.held).toBe(2)
  connector.connects.succeed()
  connector.connects.succeed()
  await settled()
  expect(pool.size).toBe(3)
})

test('R1: a permanent failure rejects the acquire that opened the pool, and the pool stays usable', async () => {
  const { pool, connector, clock } = makePool({ minSize: 1 })
  const wrong = new PermanentError('wrong password')
  connector.connects.fail(wrong)
  await expect(pool.acquire()).rejects.toBe(wrong)
  connector.connects.pass()
  await clock.advance(1_000)
  expect((await pool.acquire()).connection.id).toBe(2)
})
