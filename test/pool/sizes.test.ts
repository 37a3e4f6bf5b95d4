import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Connection, connect, createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { backends, freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe('a pool on a real server', () => {
  let dsn: string
  let pool: Pool

  const open = async (options: PoolOptions = {}) => {
    pool = await createPool(dsn, { minSize: 1, maxSize: 2, ...options })
  }

  beforeEach(async () => {
    dsn = await freshDatabase()
  })

  afterEach(async () => {
    vi.useRealTimers()
    await pool.terminate()
  })

  it('hands nothing out while it is suspended, and serves those who waited when it resumes', async () => {
    await open()
    const held = await pool.acquire()
    pool.suspend()
    const waiting = pool.fetchVal('select 1')
    expect(await held.fetchVal('select 2')).toBe(2)
    await held.release()
    await expect(pool.acquire({ timeout: 50 })).rejects.toThrow('the pool is suspended')
    expect(pool.waitingSize).toBe(1)
    pool.resume()
    expect(await waiting).toBe(1)
  })

  it('grows and shrinks with resize', async () => {
    await open()
    pool.resize({ minSize: 3, maxSize: 4 })
    await until('the new floor stands', () => pool.size === 3)
    expect([pool.minSize, pool.maxSize]).toEqual([3, 4])
    const held = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()))
    pool.resize({ minSize: 1, maxSize: 1 })
    expect(await held[3]!.fetchVal('select 1')).toBe(1)
    for (const connection of held) await connection.release()
    await until('one is left', async () => (await backends(dsn)).length === 1)
    expect(() => pool.resize({ minSize: 2 })).toThrow('minSize 2 is greater than maxSize 1')
  })

  it('R4: opens at most connectConcurrency connections side by side', async () => {
    let now = 0
    let most = 0
    await open({
      minSize: 9,
      maxSize: 9,
      connectConcurrency: 3,
      connect: async (target, options): Promise<Connection> => {
        most = Math.max(most, ++now)
        try {
          return await connect(target, options)
        } finally {
          now--
        }
      },
    })
    expect(pool.size).toBe(9)
    expect(most).toBe(3)
  })

  it('R2: replaces a connection that has reached maxLifetime, and keeps its floor', async () => {
    await open({ maxLifetime: '100ms' })
    const first = await pool.fetchVal('select pg_backend_pid()')
    await until('it is replaced', () => pool.stats().totals.closed.maxLifetime > 0)
    await until('the floor is back', () => pool.size === 1)
    expect(await pool.fetchVal('select pg_backend_pid()')).not.toBe(first)
  })

  it('R13: close warns after a minute, naming who holds what', async () => {
    await open({ leakThreshold: '1d', maxSize: 1 })
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'performance', 'setImmediate', 'clearImmediate'],
    })
    const warnings: string[] = []
    pool.on('warning', ({ message }) => warnings.push(message))
    async function holder() {
      return pool.acquire()
    }
    const held = await holder()
    const closed = pool.close()
    await vi.advanceTimersByTimeAsync(59_000)
    expect(warnings).toEqual([])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(warnings).toEqual([expect.stringMatching(/^close\(\) has been waiting for 60 s; .* by holder \(/)])
    vi.useRealTimers()
    await held.release()
    await closed
  })
})
