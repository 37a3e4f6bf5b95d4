import { afterEach, describe, expect, it } from 'vitest'
import {
  createPool,
  type Pool,
  PoolDeadlockError,
  type PoolOptions,
  PoolTimeoutError,
} from '../../src/index.ts'
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

  /** How long a promise took to reject. */
  const rejection = async (promise: Promise<unknown>) => {
    const begun = performance.now()
    const error: unknown = await promise.then(
      () => undefined,
      (reason) => reason,
    )
    return { error, took: performance.now() - begun }
  }

  it('a callback that waits for the one connection that it holds is rejected within 250 ms', async () => {
    await open({ maxSize: 1 })
    async function nested() {
      return pool.use(async (connection) => {
        await connection.fetchVal('select 1')
        return pool.fetchVal('select 2')
      })
    }
    const { error, took } = await rejection(nested())
    expect(error).toBeInstanceOf(PoolDeadlockError)
    expect((error as Error).message).toMatch(
      /all 1 are held by .* acquired by nested \(.*deadlocks\.test\.ts/,
    )
    expect(took).toBeLessThan(250)
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
    const { error } = await rejection(
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
