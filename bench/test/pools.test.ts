import { describe, expect, it } from 'vitest'
import { ArrayAndPromise } from '../src/pools/array-and-promise.ts'
import { handOut, timeOut } from '../src/pools/laps.ts'
import { poolers } from '../src/pools/poolers.ts'
import { Nowhere, type Pooling, takeAll } from '../src/pools/pooling.ts'

describe.for(poolers.map((pooler) => [pooler.name, pooler] as const))('%s', ([, pooler]) => {
  it('gives each of its connections once, and serves who waits with one that is released', async () => {
    const pooling = pooler.open(3)
    const held = await takeAll(pooling, 3)
    expect(new Set(held.map((one) => pooling.connectionOf(one))).size).toBe(3)
    const waiting = Promise.all([pooling.acquire(), pooling.acquire()])
    const given = held.slice(0, 2).map((one) => pooling.connectionOf(one))
    for (const one of held.slice(0, 2)) pooling.release(one)
    const served = (await waiting).map((one) => pooling.connectionOf(one))
    expect(new Set(served)).toEqual(new Set(given))
  })
})

it.for(poolers.filter(({ timesOut }) => timesOut).map((pooler) => [pooler.name, pooler] as const))(
  '%s ends the wait of all who wait too long',
  async ([, pooler]) => {
    expect(await timeOut(pooler.open(10, 20), 50, 20)).toBeGreaterThan(0)
  },
)

it('an array and a promise serves more waiters than it keeps in one piece, in their order', async () => {
  const pooling = new ArrayAndPromise(1)
  const connection = await pooling.acquire()
  const order: number[] = []
  const waiting = Array.from({ length: 5_000 }, async (_, number) => {
    const mine = await pooling.acquire()
    order.push(number)
    pooling.release(mine)
  })
  pooling.release(connection)
  await Promise.all(waiting)
  expect(order).toEqual(Array.from({ length: 5_000 }, (_, number) => number))
})

it('a pool that gives a connection to two callers at once is found out', async () => {
  const connection = new Nowhere()
  const generous: Pooling<Nowhere> = {
    acquire: async () => connection,
    release: () => {},
    connectionOf: (held) => held,
  }
  await expect(handOut(generous, 2, Number.MIN_VALUE)).rejects.toThrow('to two callers at once')
})
