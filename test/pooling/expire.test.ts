import { expect, test } from 'vitest'
import type { Lease } from '../../src/pooling/index.ts'
import type { FakeConnection } from './support/fake-connector.ts'
import { openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R12: expire replaces idle connections at once and those in use at release', async () => {
  const { pool, connector } = await openPool({ minSize: 2, maxSize: 3 })
  const lease = await pool.acquire()
  pool.expire()
  await settled()
  expect(connector.log).toEqual(['connect 1', 'connect 2', 'close 1', 'connect 3'])
  lease.release()
  await settled()
  expect(connector.log.slice(4)).toEqual(['close 2', 'connect 4'])
  expect(pool.idleSize).toBe(2)
})

test('R12: a connection whose connect began before expire is replaced, and its waiter gets a later one', async () => {
  const { pool, connector } = await openPool({ maxSize: 1 })
  connector.connects.hold()
  const caller = watch(pool.acquire())
  pool.expire()
  connector.connects.succeed()
  await settled()
  connector.connects.succeed()
  await settled()
  expect(caller.value?.connection.id).toBe(2)
  expect(connector.log).toEqual(['connect 1', 'close 1', 'connect 2'])
})

test('R12: connections that are being checked or reset meanwhile are replaced as well', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 1, maxSize: 2, resetsTakeTime: true })
  const lease = await pool.acquire()
  const other = await pool.acquire()
  other.release()
  await clock.advance(5_000)
  connector.checks.hold()
  connector.resets.hold()
  const caller = watch(pool.acquire())
  lease.release()
  pool.expire()
  connector.checks.succeed()
  connector.resets.succeed()
  await settled()
  expect(caller.value?.connection.id).toBeGreaterThan(2)
  expect(pool.stats().totals.closed.expired).toBe(2)
})

test('R12: connections opened after expire stay', async () => {
  const { pool, connector } = await openPool({ minSize: 1 })
  pool.expire()
  await settled()
  ;(await pool.acquire()).release()
  expect(pool.idleSize).toBe(1)
  expect(connector.connects.calls).toBe(2)
})

test('R12: expired connections are counted, whether they were idle or in use', async () => {
  const { pool } = await openPool({ minSize: 2, maxSize: 2 })
  const lease = await pool.acquire()
  pool.expire()
  expect(pool.stats().totals.closed.expired).toBe(1)
  pool.expire()
  lease.release()
  expect(pool.stats().totals.closed.expired).toBe(2)
})

test('R12: what is acquired from within an expire is no expired connection', async () => {
  const { pool } = await openPool({ minSize: 3, maxSize: 3 })
  const before = pool.connections()
  const acquired: Promise<Lease<FakeConnection>>[] = []
  pool.on('close', () => acquired.push(pool.acquire()))
  pool.expire()
  expect(acquired).toHaveLength(3)
  for (const lease of await Promise.all(acquired)) expect(before).not.toContain(lease.connection)
})
