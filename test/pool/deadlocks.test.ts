import { afterEach, describe, expect, it } from 'vitest'
import { onAbort } from '../../src/deadline.ts'
import { Deadlocks } from '../../src/deadlocks.ts'
import {
  createPool,
  type Pool,
  PoolDeadlockError,
  type PoolOptions,
  PoolTimeoutError,
} from '../../src/index.ts'
import { VirtualClock } from '../pooling/support/virtual-clock.ts'
import { freshDatabase } from '../support/servers.ts'

describe('R17: with detectDeadlocks', () => {
  let pool: Pool

  const open = async (options: PoolOptions = {}) => {
    pool = await createPool(await freshDatabase(), {
      minSize: 1,
      maxSize: 2,
      detectDeadlocks: true,
      ...options,
    })
  }

  afterEach(() => pool.terminate())

  const rejection = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (reason: unknown) => reason,
    )

  it('a callback that waits for the one connection that it holds is rejected, with who holds it', async () => {
    await open({ maxSize: 1 })
    async function nested() {
      return pool.use(async (connection) => {
        await connection.fetchVal('select 1')
        return pool.fetchVal('select 2')
      })
    }
    const error = await rejection(nested())
    expect(error).toBeInstanceOf(PoolDeadlockError)
    expect((error as Error).message).toMatch(
      /all 1 are held by .* acquired by nested \(.*deadlocks\.test\.ts/,
    )
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('of callbacks that wait for one another the newest waiter is rejected, and the others go on', async () => {
    await open()
    let inside = 0
    let both!: () => void
    const bothInside = new Promise<void>((resolve) => {
      both = resolve
    })
    const order: string[] = []
    const nested = (name: string, first: Promise<void>) =>
      pool.transaction(async () => {
        if (++inside === 2) both()
        await bothInside
        await first
        order.push(`${name} waits`)
        return pool.use((inner) => inner.fetchVal('select 1'))
      })
    const older = nested('older', Promise.resolve())
    const newer = nested('newer', new Promise((resolve) => setImmediate(resolve)))
    await expect(newer).rejects.toThrow(PoolDeadlockError)
    expect(await older).toBe(1)
    expect(order).toEqual(['older waits', 'newer waits'])
  })

  it('a wait inside a callback inside a callback counts for both', async () => {
    await open()
    const error = await rejection(
      pool.use(() => pool.use(async () => Promise.all([pool.fetchVal('select 1')]))),
    )
    expect(error).toBeInstanceOf(PoolDeadlockError)
  })

  it('a waiter outside of every callback waits on, and is served', async () => {
    await open({ maxSize: 1 })
    let wait!: () => void
    const waits = new Promise<void>((resolve) => {
      wait = resolve
    })
    const nested = pool.use(() => {
      wait()
      return pool.fetchVal('select 2')
    })
    await waits
    const outsider = pool.fetchVal('select 3')
    await expect(nested).rejects.toThrow(PoolDeadlockError)
    expect(await outsider).toBe(3)
  })

  it('nobody is rejected while a statement of one of them runs', async () => {
    await open({ maxSize: 1 })
    const value = pool.use(async (connection) => {
      const waiting = pool.fetchVal('select 2')
      await connection.fetchVal('select pg_sleep(0.4)')
      await connection.release()
      return waiting
    })
    expect(await value).toBe(2)
  })

  it('nobody is rejected while a connection is held by an acquire without a callback', async () => {
    await open({ maxSize: 2 })
    const plain = await pool.acquire()
    const nested = pool.use(() => pool.fetchVal('select 2', [], { timeout: '400ms' }))
    await expect(nested).rejects.toThrow(PoolTimeoutError)
    await plain.release()
  })

  it('the abort of its own signal still ends a wait inside a callback', async () => {
    await open({ maxSize: 1 })
    const reason = new Error('left')
    const controller = new AbortController()
    const nested = pool.use(() => {
      const wait = pool.acquire({ signal: controller.signal })
      controller.abort(reason)
      return wait
    })
    await expect(nested).rejects.toBe(reason)
  })

  it('without it such a waiter has its acquireTimeout', async () => {
    await open({ maxSize: 1, detectDeadlocks: false, acquireTimeout: '400ms' })
    await expect(pool.use(() => pool.fetchVal('select 2'))).rejects.toThrow(PoolTimeoutError)
  })
})

describe('R17: the watch for deadlocks', () => {
  const held = { isReleased: () => false, isIdle: () => true, holder: undefined }
  const forever = () => new Promise<never>(() => {})

  /** Waits inside of whatever callback it is called in, and tells when it is rejected. */
  const waiter = (deadlocks: Deadlocks, rejected: string[], name: string) =>
    deadlocks
      .wait(undefined, (signal) => new Promise<never>((_, reject) => onAbort(signal, reject)))
      .catch((error: unknown) => rejected.push(error instanceof PoolDeadlockError ? name : String(error)))

  it('tells of one within 250 ms, and rests when nobody waits', async () => {
    const clock = new VirtualClock()
    const deadlocks = new Deadlocks(clock, () => 1)
    const rejected: string[] = []
    const ended = deadlocks.hold(held, () => waiter(deadlocks, rejected, 'inside'))
    await clock.advance(249)
    expect(rejected).toEqual(['inside'])
    await ended
    expect(clock.timers).toBe(0)
  })

  it('spares a newer wait that an ended callback left behind: only those in a callback can end the deadlock', async () => {
    const clock = new VirtualClock()
    const deadlocks = new Deadlocks(clock, () => 1)
    const rejected: string[] = []
    let leave!: () => void
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    await deadlocks.hold(held, () => {
      void left.then(() => waiter(deadlocks, rejected, 'left behind'))
    })
    void deadlocks.hold(held, () => waiter(deadlocks, rejected, 'inside').then(forever))
    leave()
    await clock.advance(1_000)
    expect(rejected).toEqual(['inside'])
  })
})
