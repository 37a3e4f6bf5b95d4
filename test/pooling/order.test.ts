import { expect, test } from 'vitest'
import { openPool, watch } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

test('R3: the most recently released connection is handed out first', async () => {
  const { pool } = await openPool({ minSize: 3, maxSize: 3 })
  const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()]
  const [first, second, third] = leases
  third!.release()
  first!.release()
  second!.release()
  const again = [await pool.acquire(), await pool.acquire(), await pool.acquire()]
  expect(again.map((lease) => lease.connection)).toEqual([
    second!.connection,
    first!.connection,
    third!.connection,
  ])
})

test('R3: waiters are served first come, first served', async () => {
  const { pool } = await openPool({ maxSize: 1 })
  let lease = await pool.acquire()
  const served: number[] = []
  const waiters = [1, 2, 3, 4].map(async (name) => {
    const mine = await pool.acquire()
    served.push(name)
    return mine
  })
  for (const waiter of waiters) {
    lease.release()
    lease = await waiter
  }
  expect(served).toEqual([1, 2, 3, 4])
})

test('R3: a released connection goes to the first waiter in the same turn, and a newcomer cannot overtake', async () => {
  const { pool } = await openPool({ maxSize: 1 })
  const lease = await pool.acquire()
  const waiter = watch(pool.acquire())
  lease.release()
  expect(pool.idleSize).toBe(0)
  const newcomer = watch(pool.acquire())
  await settled()
  expect(waiter.state).toBe('fulfilled')
  expect(newcomer.state).toBe('pending')
})

test('R3: a newcomer queues behind those who wait for a reset', async () => {
  const { pool, connector } = await openPool({ maxSize: 1, resetsTakeTime: true })
  const lease = await pool.acquire()
  connector.resets.hold()
  lease.release()
  const waiter = watch(pool.acquire())
  const newcomer = watch(pool.acquire())
  connector.resets.succeed()
  await settled()
  expect(waiter.state).toBe('fulfilled')
  expect(newcomer.state).toBe('pending')
})

test('R3: a waiter that leaves from the middle leaves the order of the others', async () => {
  const { pool } = await openPool({ maxSize: 1 })
  const lease = await pool.acquire()
  const abort = new AbortController()
  const first = watch(pool.acquire())
  const middle = watch(pool.acquire({ signal: abort.signal }))
  const last = watch(pool.acquire())
  abort.abort()
  lease.release()
  await settled()
  expect([first.state, middle.state, last.state]).toEqual(['fulfilled', 'rejected', 'pending'])
  first.value!.release()
  await settled()
  expect(last.state).toBe('fulfilled')
})

test('I3: each hand-out has a number of its own, and they rise', async () => {
  const { pool } = await openPool({ maxSize: 1 })
  const numbers: number[] = []
  for (let i = 0; i < 3; i++) {
    const lease = await pool.acquire()
    numbers.push(lease.number)
    lease.release()
  }
  expect(numbers).toEqual([1, 2, 3])
})

test('R3: a newcomer from within a hand-out does not overtake, though a connection is still idle', async () => {
  const { pool } = await openPool({ minSize: 2, maxSize: 2 })
  const order: string[] = []
  const join = (name: string) => pool.acquire().then(() => order.push(name))
  pool.suspend()
  join('first')
  join('second')
  const off = pool.on('acquire', () => {
    off()
    join('newcomer')
  })
  pool.resume()
  await settled()
  expect(order).toEqual(['first', 'second'])
  expect(pool.waitingSize).toBe(1)
})
