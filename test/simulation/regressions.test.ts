import { expect, test } from 'vitest'
import { ids, openPool, watch } from '../pooling/support/harness.ts'
import { settled } from '../pooling/support/virtual-clock.ts'

test('a suspend from within a hand-out holds for those who wait behind', async () => {
  const { pool } = await openPool({ minSize: 2, maxSize: 2 })
  pool.suspend()
  const callers = [watch(pool.acquire()), watch(pool.acquire())]
  pool.on('acquire', () => pool.suspend())
  pool.resume()
  await settled()
  expect(callers.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
  pool.resume()
  await settled()
  expect(callers[1]?.state).toBe('fulfilled')
})

test('a suspend from within setup holds for those who wait behind', async () => {
  const { pool, connector } = await openPool({ minSize: 2, maxSize: 2, setup: true })
  pool.suspend()
  const callers = [watch(pool.acquire()), watch(pool.acquire())]
  const { prepare } = connector
  connector.prepare = (connection) => {
    pool.suspend()
    return prepare!(connection)
  }
  pool.resume()
  await settled()
  expect(callers.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
})

test('a maxSize that a listener raises while connections are closed for a lower one keeps the rest open', async () => {
  const { pool } = await openPool({ minSize: 4, maxSize: 4, checkIdleAfter: 0 })
  const off = pool.on('close', () => {
    off()
    pool.resize({ maxSize: 4 })
  })
  pool.resize({ minSize: 0, maxSize: 1 })
  expect(ids(pool.connections())).toEqual([2, 3, 4])
})

test('R13: a close from within a close has the same promise', async () => {
  const { pool } = await openPool({ minSize: 1, maxSize: 1 })
  let within: Promise<void> | undefined
  pool.on('close', () => {
    within = pool.close()
  })
  const closed = pool.close({ timeout: 5_000 })
  expect(within).toBe(closed)
  await closed
})
