import { describe, expect, it, onTestFinished } from 'vitest'
import {
  ConnectionLostError,
  connect,
  createPool,
  type Pool,
  type PoolOptions,
  PoolTimeoutError,
  QueryTimeoutError,
} from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())('a network that fails in front of PostgreSQL $major', (server) => {
  const behindProxy = async () => {
    const proxy = await FaultProxy.start({ host: server.host, port: server.port })
    onTestFinished(() => proxy.close())
    return { proxy, dsn: proxy.through(await freshDatabase(server)) }
  }
  const openPool = async (options: PoolOptions): Promise<{ proxy: FaultProxy; pool: Pool }> => {
    const { proxy, dsn } = await behindProxy()
    const pool = await createPool(dsn, { minSize: 2, maxSize: 2, closeTimeout: '200ms', ...options })
    onTestFinished(() => pool.terminate())
    return { proxy, pool }
  }

  it('gives no answer: a close ends all the same', async () => {
    const { proxy, dsn } = await behindProxy()
    const connection = await connect(dsn, { closeTimeout: '200ms' })
    proxy.hold()
    await connection.close()
    expect(connection.isClosed).toBe(true)
  })

  it('gives no answer: closing a lent connection ends all the same, and its place is free', async () => {
    const { proxy, pool } = await openPool({ minSize: 1, maxSize: 1 })
    const connection = await pool.acquire()
    proxy.hold()
    await connection.close()
    proxy.resume()
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('R15: gives no answer: acquire times out, and serves again once it answers', async () => {
    const { proxy, pool } = await openPool({
      checkIdleAfter: 'always',
      checkTimeout: '100ms',
      connectTimeout: '1s',
    })
    proxy.hold()
    for (let round = 0; round < 2; round++) {
      await expect(pool.acquire({ timeout: '300ms' })).rejects.toThrow(PoolTimeoutError)
    }
    await until('a connect has timed out as well', () => pool.stats().totals.connectFailures > 0)
    proxy.resume()
    expect(await pool.use((connection) => connection.fetchVal('select 1'))).toBe(1)
    await until('the floor is back', () => pool.idleSize === 2)
  })

  it('R6: gives no answer: release does not wait, and what is asked for next runs elsewhere', async () => {
    const { proxy, pool } = await openPool({ minSize: 1, maxSize: 1, hookTimeout: '200ms' })
    const connection = await pool.acquire()
    await connection.execute("set application_name = 'mine'")
    proxy.hold()
    const { processId } = connection
    await connection.release()
    await new Promise((resolve) => setImmediate(resolve))
    const next = await pool.acquire()
    const asked = next.fetchVal('show application_name')
    await until('it is given up', () => pool.stats().totals.closed.resetFailed === 1)
    proxy.resume()
    expect(await asked).not.toBe('mine')
    expect(next.processId).not.toBe(processId)
    await next.release()
  })

  it('goes silent under load: every caller hears within its limits', async () => {
    const limit = 1_000
    const { proxy, pool } = await openPool({
      minSize: 3,
      maxSize: 3,
      commandTimeout: limit,
      connectTimeout: limit,
      cancelTimeout: '100ms',
      hookTimeout: '100ms',
    })
    const workers = Array.from({ length: 9 }, () =>
      pool.use((connection) => connection.fetchVal('select 1 from pg_sleep(0.1)'), { timeout: limit }),
    )
    const first = await Promise.race(workers)
    proxy.hold()
    const ends = await Promise.allSettled(workers)
    expect(first).toBe(1)
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) {
      expect([QueryTimeoutError, ConnectionLostError, PoolTimeoutError]).toContain(failure.constructor)
    }
    proxy.resume()
    await until('the floor is back', () => pool.idleSize === 3)
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('is cut: what was in flight is lost, and the pool serves again', async () => {
    const { proxy, pool } = await openPool({})
    const running = pool.fetchVal('select pg_sleep(60)')
    running.catch(() => {})
    await until('it runs', () => pool.stats().leased === 1)
    proxy.reset()
    await expect(running).rejects.toThrow(ConnectionLostError)
    await until('the idle one is missed, too', () => pool.stats().totals.closed.lost === 2)
    expect(await pool.fetchVal('select 1')).toBe(1)
    await until('the floor is back', () => pool.idleSize === 2)
  })
})
