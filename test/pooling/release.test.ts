import { expect, test } from 'vitest'
import type { FakeConnection } from './support/fake-connector.ts'
import { expectSlotsToAddUp, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R6: a release does not close the connection, it goes to the idle ones', async () => {
  const { pool, connector } = await openPool()
  const lease = await pool.acquire()
  lease.release()
  expect(pool.idleSize).toBe(1)
  expect(connector.log).toEqual(['connect 1'])
})

test('R6: a second release does nothing, though the connection is in use again', async () => {
  const { pool } = await openPool({ maxSize: 1 })
  const lease = await pool.acquire()
  lease.release()
  const next = await pool.acquire()
  lease.release()
  expect(pool.stats()).toMatchObject({ leased: 1, idle: 0 })
  next.release()
  expect(pool.idleSize).toBe(1)
})

test('R6: nothing is handed on before the reset has ended', async () => {
  const harness = await openPool({ maxSize: 1, resetsTakeTime: true })
  const { pool, connector } = harness
  connector.resets.hold()
  const lease = await pool.acquire()
  lease.release()
  const caller = watch(pool.acquire())
  await settled()
  expect(caller.state).toBe('pending')
  expect(pool.stats().resetting).toBe(1)
  expectSlotsToAddUp(harness)
  connector.resets.succeed()
  await settled()
  expect(caller.state).toBe('fulfilled')
})

test('R9: a connection that has run maxQueries commands is closed at release, unreset, and replaced', async () => {
  const { pool, connector } = await openPool({ minSize: 1, maxQueries: 3, resetsTakeTime: true })
  const lease = await pool.acquire()
  lease.connection.commands = 3
  lease.release()
  await settled()
  expect(connector.log).toEqual(['connect 1', 'close 1', 'connect 2'])
  expect(pool.stats().totals.closed.maxQueries).toBe(1)
})

test('R9: below maxQueries it stays, and 0 sets no limit', async () => {
  for (const [maxQueries, commands] of [
    [3, 2],
    [0, 1_000_000],
  ] as const) {
    const { pool } = await openPool({ maxQueries })
    const lease = await pool.acquire()
    lease.connection.commands = commands
    lease.release()
    expect(pool.idleSize).toBe(1)
  }
})

test('the way from an idle connection to its release sets no timer', async () => {
  const { pool, clock } = await openPool({ minSize: 1 })
  const before = clock.timersSet
  for (const timeout of [undefined, 0, 500]) (await pool.acquire({ timeout })).release()
  expect(clock.timersSet).toBe(before)
})

test('a connection that its user closed goes at its release, unreset, and for that reason', async () => {
  const { pool, connector } = await openPool({ minSize: 1, maxQueries: 3, resetsTakeTime: true })
  Object.assign(connector, { isEnded: ({ id }: FakeConnection) => id === 1 })
  const lease = await pool.acquire()
  lease.connection.commands = 3
  lease.release()
  await settled()
  expect(connector.log).toEqual(['connect 1', 'close 1', 'connect 2'])
  expect(pool.stats().totals.closed).toMatchObject({ byUser: 1, maxQueries: 0 })
})

test('the connector is told when a connection comes on the idle stack, and when it leaves', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 2, maxSize: 2, toldOfRest: true })
  const lease = await pool.acquire()
  await clock.advance(5_000)
  const next = await pool.acquire()
  lease.release()
  expect(connector.log).toEqual([
    'connect 1',
    'rest 1',
    'connect 2',
    'rest 2',
    'rise 2',
    'rise 1',
    'check 1',
    'rest 2',
  ])
  next.release()
  await pool.close()
  expect(connector.log.slice(8)).toEqual(['rest 1', 'rise 1', 'close 1', 'rise 2', 'close 2'])
})
