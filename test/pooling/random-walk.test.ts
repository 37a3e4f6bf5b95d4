import { expect, test } from 'vitest'
import type { Lease } from '../../src/pooling/index.ts'
import { type FakeConnection, PermanentError } from './support/fake-connector.ts'
import { expectSlotsToAddUp, openPool } from './support/harness.ts'
import { settled } from './support/virtual-clock.ts'

/** A generator of its own, so that a seed replays exactly (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

async function walk(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const harness = await openPool({
    minSize: 2,
    maxSize: 6,
    maxQueries: 20,
    maxLifetime: '1min',
    maxInactiveConnectionLifetime: '5s',
    acquireTimeout: '4s',
    closeTimeout: '60s',
    setup: seed % 2 === 0,
    resetsTakeTime: seed % 3 === 0,
    random,
  })
  const { pool, connector, clock } = harness
  const steps = [connector.connects, connector.checks, connector.prepares, connector.resets, connector.closes]
  const leases: Lease<FakeConnection>[] = []
  const owners = new Map<FakeConnection, number>()
  let asked = 0
  let answered = 0
  let suspended = false

  const acquire = () => {
    const abort = new AbortController()
    asked++
    pool
      .acquire({ signal: abort.signal, timeout: 500 * below(8) })
      .then(
        (lease) => {
          expect(owners.get(lease.connection) ?? 0, 'I3: one owner at a time').toBeLessThan(lease.number)
          expect(leases.some((other) => other.connection === lease.connection)).toBe(false)
          owners.set(lease.connection, lease.number)
          leases.push(lease)
        },
        () => {},
      )
      .finally(() => answered++)
    if (below(4) === 0) queueMicrotask(() => abort.abort())
  }
  const release = () => {
    const [lease] = leases.splice(below(leases.length), 1)
    if (lease === undefined) return
    lease.connection.commands += below(10)
    lease.release()
    if (below(5) === 0) lease.release()
  }
  const die = () => {
    const victim = [...connector.present][below(connector.present.size)]
    victim?.die()
  }
  const settleOne = () => {
    const step = steps[below(steps.length)]!
    if (step.held === 0) return
    const index = below(step.held)
    if (below(3) > 0) step.succeed(index)
    else step.reject(below(2) === 0 ? new Error('failed') : new PermanentError('failed for good'), index)
  }
  const change = () => {
    const step = steps[below(steps.length)]!
    if (below(2) === 0) step.hold()
    else step.pass()
  }
  const moves = [acquire, acquire, acquire, release, release, die, settleOne, settleOne, change]

  for (let i = 0; i < 300; i++) {
    if (below(60) === 0) pool.expire()
    if (below(60) === 0) {
      pool.suspend()
      suspended = true
    }
    if (below(20) === 0) {
      pool.resume()
      suspended = false
    }
    moves[below(moves.length)]!()
    if (below(3) === 0) await clock.advance(below(400))
    await settled()
    expectSlotsToAddUp(harness)
    const { idle, waiting, checking } = pool.stats()
    if (!suspended && waiting > checking) expect(idle, 'I7: nobody waits beside an idle one').toBe(0)
  }

  for (const step of steps) {
    step.pass()
    while (step.held > 0) step.succeed()
  }
  pool.resume()
  await clock.advance(3_000)
  while (leases.length > 0 || answered < asked) {
    for (const lease of leases.splice(0)) lease.release()
    await clock.advance(1_000)
  }
  expect(answered, 'I2: every acquire settles once').toBe(asked)
  expect(pool.size, 'I10: the floor is back').toBeGreaterThanOrEqual(2)
  expectSlotsToAddUp(harness)
  await pool.close()
  expect(connector.present.size + connector.connecting, 'I9: nothing stays open').toBe(0)
  expect(clock.timers, 'I9: no timer stays').toBe(0)
}

test('I1, I2, I3, I7, I9, I10 hold on random walks through everything that can happen', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    await walk(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
    })
  }
})
