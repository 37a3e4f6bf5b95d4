import { expect } from 'vitest'
import { type PoolOptions, ResourcePool, resolvePoolSettings } from '../../../src/pooling/index.ts'
import { type FakeConnection, FakeConnector } from './fake-connector.ts'
import { settled, VirtualClock } from './virtual-clock.ts'

export interface Harness {
  pool: ResourcePool<FakeConnection>
  connector: FakeConnector
  clock: VirtualClock
}

interface HarnessOptions extends PoolOptions {
  setup?: boolean
  resetsTakeTime?: boolean
  toldOfRest?: boolean
  random?: () => number
}

/** A pool, not opened yet, with a fake connector under virtual time. Unless told otherwise it keeps no floor. */
export function makePool(harness: HarnessOptions = {}): Harness {
  const { setup = false, resetsTakeTime = false, toldOfRest = false, random, ...options } = harness
  const connector = new FakeConnector({ setup, resetsTakeTime, toldOfRest })
  const clock = new VirtualClock()
  const settings = resolvePoolSettings({ minSize: 0, ...options })
  const pool = new ResourcePool<FakeConnection>(connector, settings, { clock, random: random ?? (() => 0.5) })
  return { pool, connector, clock }
}

/** The same, opened. */
export async function openPool(options: HarnessOptions = {}): Promise<Harness> {
  const harness = makePool(options)
  await harness.pool.open()
  return harness
}

export interface Watched<T> {
  state: 'pending' | 'fulfilled' | 'rejected'
  value?: T
  reason?: unknown
}

/** What has become of a promise, to look at without waiting for it. */
export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { state: 'pending' }
  promise.then(
    (value) => {
      watched.state = 'fulfilled'
      watched.value = value
    },
    (reason: unknown) => {
      watched.state = 'rejected'
      watched.reason = reason
    },
  )
  return watched
}

export function ids(connections: Iterable<FakeConnection>): number[] {
  return [...connections].map((connection) => connection.id)
}

/** I1: free + connecting + open + closing = maxSize, and the pool's own count is the connector's. */
export function expectSlotsToAddUp({ pool, connector }: Harness): void {
  const stats = pool.stats()
  const open = stats.checking + stats.preparing + stats.idle + stats.leased + stats.resetting
  expect(stats.size).toBe(open)
  expect(stats.free + stats.connecting + open + stats.closing).toBe(stats.maxSize)
  expect(stats.connecting).toBe(connector.connecting)
  expect(stats.size + stats.closing).toBe(connector.present.size)
}

/** Waits for `expected` of the pool's connections to be open and asserts that they are. */
export async function expectSize({ pool }: Harness, expected: number): Promise<void> {
  await settled()
  expect(pool.size).toBe(expected)
}
