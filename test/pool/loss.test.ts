import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConnectionLostError, createPool, type Pool } from '../../src/index.ts'
import { adminQuery, backends, freshDatabase, sleepers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe('R14: a connection that dies', () => {
  let dsn: string
  let pool: Pool

  const kill = (processId: number) => adminQuery(dsn, 'select pg_terminate_backend($1)', [processId])

  beforeEach(async () => {
    dsn = await freshDatabase()
    pool = await createPool(dsn, { minSize: 3, maxSize: 5 })
  })

  afterEach(() => pool.terminate())

  it('R2: while idle is replaced, and nobody notices', async () => {
    const before = (await backends(dsn)).map(({ pid }) => pid)
    for (const pid of before) await kill(pid)
    await until('the floor is back', async () => {
      const now = (await backends(dsn)).map(({ pid }) => pid)
      return now.length === 3 && !now.some((pid) => before.includes(pid)) && pool.idleSize === 3
    })
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(pool.stats().totals.closed.lost).toBe(3)
  })

  it('in use rejects its statement with ConnectionLostError, and releasing it is harmless', async () => {
    const connection = await pool.acquire()
    const running = connection.fetch('select pg_sleep(60)')
    running.catch(() => {})
    await until('it runs', async () => (await sleepers(dsn)).length > 0)
    await kill(connection.processId)
    await expect(running).rejects.toThrow(ConnectionLostError)
    await expect(running).rejects.toMatchObject({
      outcome: 'unknown',
      cause: expect.objectContaining({ condition: 'admin_shutdown' }),
    })
    expect(connection.isClosed).toBe(true)
    await expect(connection.fetch('select 1')).rejects.toMatchObject({ outcome: 'not-sent' })
    await connection.release()
    await until('the floor is back', () => pool.idleSize === 3)
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('in a transaction rejects the transaction', async () => {
    const failure = pool.transaction(async (tx) => {
      const pid = await tx.fetchVal<number>('select pg_backend_pid()')
      await kill(pid!)
      await tx.fetch('select 1')
    })
    await expect(failure).rejects.toThrow(ConnectionLostError)
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('closed by its user is replaced', async () => {
    const connection = await pool.acquire()
    await connection.close()
    await connection.release()
    await until('the floor is back', () => pool.idleSize === 3)
    const terminated = await pool.acquire()
    await terminated.terminate()
    await until('the floor is back', () => pool.idleSize === 3)
    await until('no backend is left over', async () => (await backends(dsn)).length === 3)
  })

  it('R13: terminate ends what is in use at once, and no backend is left', async () => {
    const connection = await pool.acquire()
    const running = connection.fetch('select pg_sleep(60)')
    running.catch(() => {})
    await until('it runs', async () => (await sleepers(dsn)).length > 0)
    await pool.terminate()
    await expect(running).rejects.toThrow(ConnectionLostError)
    await connection.release()
    await until('no backend is left', async () => (await backends(dsn)).length === 0)
  })
})
