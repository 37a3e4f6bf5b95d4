import { expect, test } from 'vitest'
import { makePool, openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('a suspended pool hands out nothing, and resume serves those who wait in their order', async () => {
  const { pool } = await openPool({ minSize: 1, maxSize: 1 })
  pool.suspend()
  const first = watch(pool.acquire())
  const second = watch(pool.acquire())
  await settled()
  expect([first.state, second.state]).toEqual(['pending', 'pending'])
  pool.resume()
  await settled()
  expect([first.state, second.state]).toEqual(['fulfilled', 'pending'])
})

test('what is released during suspension stays idle, and nothing is opened for those who wait', async () => {
  const { pool, connector } = await openPool({ minSize: 1, maxSize: 5 })
  const lease = await pool.acquire()
  watch(pool.acquire())
  pool.suspend()
  lease.release()
  watch(pool.acquire())
  await settled()
  expect(connector.connects.calls).toBe(2)
  expect(pool.stats()).toMatchObject({ idle: 2, waiting: 2, leased: 0 })
})

test('close ends a suspension for those who wait', async () => {
  const { pool } = await openPool({ minSize: 1 })
  pool.suspend()
  const waiter = pool.acquire()
  const closed = pool.close()
  ;(await waiter).release()
  await closed
  expect(pool.size).toBe(0)
})

test('resume does nothing to a pool that is not suspended', async () => {
  const { pool, connector } = makePool({ minSize: 1 })
  pool.resume()
  await settled()
  expect(connector.connects.calls).toBe(0)
  await pool.terminate()
  pool.suspend()
  pool.resume()
  await expect(pool.acquire()).rejects.toThrow('closed')
})

test('maxWaiting 0 refuses every caller of a suspended pool', async () => {
  const { pool } = await openPool({ minSize: 1, maxWaiting: 0 })
  pool.suspend()
  await expect(pool.acquire()).rejects.toThrow('the pool is suspended')
})

test('a pool that is suspended before it was opened keeps its floor and hands out nothing', async () => {
  const { pool } = makePool({ minSize: 1, maxSize: 2 })
  pool.suspend()
  const caller = watch(pool.acquire())
  await settled()
  expect(pool.stats()).toMatchObject({ idle: 1, waiting: 1, leased: 0 })
  pool.resume()
  await settled()
  expect(caller.value?.connection.id).toBe(1)
})
