import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { anyServer, freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { endOf } from './support/end-of.ts'
import { expectSlots } from './support/invariants.ts'

const callers = 10_000
const { host, port } = anyServer()
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let proxy: FaultProxy
let pool: Pool

beforeEach(async () => {
  proxy = await FaultProxy.start({ host, port })
  const dsn = proxy.through(await freshDatabase())
  pool = await createPool(dsn, { minSize: 2, maxSize: 10, ssl: false })
  await proxy.refuse()
  proxy.reset()
  await until('the server is missed', () => pool.stats().totals.connectFailures > 0)
})

afterEach(async () => {
  await pool.terminate()
  await proxy.close()
})

const heap = () => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const storm = (timeout: number) =>
  Promise.all(Array.from({ length: callers }, () => endOf(pool.acquire({ timeout }))))

it('R5: every connect fails: each of 10,000 waiters is told why in time, after few attempts, and nothing of them is kept', async () => {
  await storm(1)
  const before = heap()
  const failures = pool.stats().totals.connectFailures
  const begun = performance.now()
  const ends = await storm(1_000)
  const seconds = (performance.now() - begun) / 1_000
  expect(new Set(ends)).toEqual(new Set(['POOL_TIMEOUT']))
  expect(pool.stats().totals.connectFailures - failures).toBeLessThanOrEqual(4 + 10 * seconds)
  ends.length = 0
  expect(pool.waitingSize).toBe(0)
  expect(heap() - before).toBeLessThan(5_000_000)
  expectSlots(pool)
})

it('R3: 10,000 waiters are served, first come, first served, once connects succeed', async () => {
  const served: number[] = []
  const all = Promise.all(
    Array.from({ length: callers }, async (_, i) => {
      const connection = await pool.acquire({ timeout: '15s' })
      served.push(i)
      await connection.release()
    }),
  )
  expect(pool.waitingSize).toBe(callers)
  await proxy.accept()
  await all
  expect(served).toEqual(Array.from({ length: callers }, (_, i) => i))
  expect(pool.size).toBeLessThanOrEqual(10)
  expectSlots(pool)
})
