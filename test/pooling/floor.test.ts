import { expect, test } from 'vitest'
import { expectSize, openPool } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R2: a lost connection of the floor is replaced at once while the server is fine', async () => {
  const harness = await openPool({ minSize: 2, maxSize: 4 })
  await harness.clock.advance(10_000)
  for (const connection of harness.connector.present) connection.die()
  await expectSize(harness, 2)
  expect(harness.connector.connects.calls).toBe(4)
})

test('R2: the replacement waits for its slot where the pool is at maxSize', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 2, maxSize: 2, maxLifetime: '10s' })
  connector.closes.hold()
  await clock.advance(11_000)
  expect(pool.stats()).toMatchObject({ closing: 2, connecting: 0, free: 0 })
  connector.closes.succeed()
  connector.closes.succeed()
  await settled()
  expect(pool.idleSize).toBe(2)
})

test('R2: while the server is away the floor is tried with back-off, one connect at a time', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 5, maxSize: 5 })
  await clock.advance(10_000)
  connector.connects.fail(new Error('refused'))
  for (const connection of connector.present) connection.die()
  const before = connector.connects.calls
  await clock.advance(60_000)
  const attempts = connector.connects.calls - before
  expect(attempts).toBeGreaterThan(100)
  expect(attempts).toBeLessThan(250)
  expect(pool.size).toBe(0)
})

test('I10: the floor is back within two seconds of the server accepting again', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 10, maxSize: 10 })
  await clock.advance(10_000)
  connector.connects.fail(new Error('refused'))
  for (const connection of connector.present) connection.die()
  await clock.advance(60_000)
  connector.connects.pass()
  await clock.advance(2_000)
  expect(pool.idleSize).toBe(10)
})

test('R2: a failing floor does not end the pool, and what is open is handed out meanwhile', async () => {
  const { pool, connector, clock } = await openPool({ minSize: 2, maxSize: 2 })
  await clock.advance(10_000)
  connector.connects.fail(new Error('refused'))
  const [first] = connector.present
  first!.die()
  await clock.advance(5_000)
  const lease = await pool.acquire()
  expect(lease.connection.id).toBe(2)
})

test('R2: the floor is kept while the pool is suspended, and not while it closes', async () => {
  const harness = await openPool({ minSize: 1, maxSize: 2 })
  const { pool, connector, clock } = harness
  await clock.advance(10_000)
  pool.suspend()
  for (const connection of connector.present) connection.die()
  await expectSize(harness, 1)
  pool.resume()
  const lease = await pool.acquire()
  const closed = pool.close()
  lease.connection.die()
  await closed
  expect(connector.connects.calls).toBe(2)
})

test('R2: the floor comes back where a connection dies after the time to try again, but before its timer fired', async () => {
  const harness = await openPool({ minSize: 2, maxSize: 2 })
  const { connector, clock } = harness
  const [first, second] = [...connector.present]
  first!.die()
  clock.stall(45)
  second!.die()
  await clock.advance(5_000)
  await expectSize(harness, 2)
})
