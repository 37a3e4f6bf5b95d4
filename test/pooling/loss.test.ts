import { expect, test } from 'vitest'
import { expectSlotsToAddUp, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R14: a connection that dies while idle is replaced and nobody notices', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 2 })
  await clock.advance(500)
  const lease = await pool.acquire()
  lease.release()
  lease.connection.die()
  await settled()
  const [a, b] = [await pool.acquire(), await pool.acquire()]
  expect([a.connection.id, b.connection.id]).not.toContain(lease.connection.id)
  expect(connector.log).toContain(`terminate ${lease.connection.id}`)
})

test('R14: a connection may die in the middle of the idle stack', async () => {
  const { pool } = await openPool({ minSize: 0, maxSize: 3 })
  const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
  for (const lease of leases) lease.release()
  leases[1]!.connection.die()
  const [first, second] = [await pool.acquire(), await pool.acquire()]
  expect([first.connection.id, second.connection.id]).toEqual([3, 1])
})

test('R14: a connection that dies in use frees its slot, and its release is harmless', async () => {
  const harness = await openPool({ maxSize: 1 })
  const { pool, connector } = harness
  const lease = await pool.acquire()
  const waiter = watch(pool.acquire())
  connector.terminates.hold()
  lease.connection.die()
  await settled()
  expect(pool.stats()).toMatchObject({ leased: 0, closing: 1, connecting: 0 })
  expectSlotsToAddUp(harness)
  connector.terminates.succeed()
  await settled()
  expect(waiter.value?.connection.id).toBe(2)
  lease.release()
  expect(pool.stats().leased).toBe(1)
  expectSlotsToAddUp(harness)
})

test('R14: a connection that dies during its reset is replaced, and the late reset is not heard', async () => {
  const harness = await openPool({ minSize: 1, maxSize: 1, resetsTakeTime: true })
  const { pool, connector } = harness
  connector.resets.hold()
  const lease = await pool.acquire()
  lease.release()
  lease.connection.die()
  connector.resets.succeed()
  await settled()
  expect(pool.stats()).toMatchObject({ idle: 1, totals: { closed: { lost: 1 } } })
  expect((await pool.acquire()).connection.id).toBe(2)
  expectSlotsToAddUp(harness)
})

test('R14: a connection that its reset finds dead is replaced', async () => {
  for (const resetsTakeTime of [false, true]) {
    const { pool, connector } = await openPool({ minSize: 1, maxSize: 1, resetsTakeTime })
    const { reset } = connector
    connector.reset = (connection) => {
      connection.die()
      return resetsTakeTime ? Promise.reject(new Error('dead')) : undefined
    }
    ;(await pool.acquire()).release()
    connector.reset = reset
    expect((await pool.acquire()).connection.id).toBe(2)
    expect(pool.stats().totals.closed).toMatchObject({ lost: 1, resetFailed: 0 })
  }
})

test('R14: a connection that dies during its check is replaced unseen by the caller', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 2, maxSize: 2 })
  await clock.advance(5_000)
  connector.checks.hold()
  const caller = watch(pool.acquire())
  const [, checked] = connector.present
  checked!.die()
  await settled()
  connector.checks.succeed(1)
  await settled()
  expect(caller.value?.connection.id).not.toBe(checked!.id)
})

test('R14: a connection that dies during setup rejects that caller with the loss', async () => {
  const { pool, connector } = await openPool({ maxSize: 1, setup: true })
  connector.prepares.hold()
  const caller = watch(pool.acquire())
  await settled()
  const gone = new Error('gone')
  for (const connection of connector.present) connection.die(gone)
  await settled()
  expect(caller.reason).toBe(gone)
  expect(pool.stats()).toMatchObject({ free: 1, preparing: 0 })
})

test('R14: a connection that dies before its connect was seen to end is not handed out', async () => {
  const { pool, connector, clock } = await openPool({ maxSize: 1 })
  const { connect } = connector
  connector.connect = async (lost, signal) => {
    const connection = await connect.call(connector, lost, signal)
    if (connection.id === 1) connection.die()
    return connection
  }
  const caller = watch(pool.acquire())
  await clock.advance(50)
  expect(caller.value?.connection.id).toBe(2)
  expect(connector.log).toEqual(['connect 1', 'terminate 1', 'connect 2'])
  expect(pool.stats().totals).toMatchObject({ opened: 2, closed: { lost: 1 } })
})

test('R14: a loss while the connection closes anyway is not counted', async () => {
  const { pool, connector } = await openPool({ minSize: 1 })
  connector.closes.hold()
  const closed = watch(pool.close())
  for (const connection of connector.present) connection.die()
  connector.closes.succeed()
  await settled()
  expect(closed.state).toBe('fulfilled')
  expect(pool.stats().totals.closed).toMatchObject({ poolClosed: 1, lost: 0 })
})

test('R14: a loss in the last hand-out lets a close end', async () => {
  const { pool } = await openPool()
  const lease = await pool.acquire()
  const closed = pool.close()
  lease.connection.die()
  await closed
})

test('R14: a loss that is told while the connection is terminated, or when it is gone, changes nothing', async () => {
  const harness = await openPool({ minSize: 1 })
  const { pool, connector } = harness
  const lease = await pool.acquire()
  connector.terminates.hold()
  lease.connection.die()
  lease.connection.die()
  connector.terminates.succeed()
  await settled()
  lease.connection.die()
  expect(pool.stats()).toMatchObject({ totals: { closed: { lost: 1 } } })
  expectSlotsToAddUp(harness)
})

test('a connection that dies unused within a second of its opening slows the next connect down, a later loss does not', async () => {
  for (const [age, connects] of [
    [999, 1],
    [1_000, 2],
  ] as const) {
    const { connector, clock } = await openPool({ minSize: 1 })
    await clock.advance(age)
    for (const connection of connector.present) connection.die()
    await settled()
    expect(connector.connects.calls).toBe(connects)
  }
})
