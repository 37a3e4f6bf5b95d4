import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPool, type Pool, type PoolEvents, type PoolOptions } from '../../src/index.ts'
import { freshDatabase } from '../support/servers.ts'

describe('R17: with leakThreshold', () => {
  let pool: Pool

  const open = async (options: PoolOptions) => {
    pool = await createPool(await freshDatabase(), { minSize: 1, maxSize: 1, ...options })
  }

  const nextLeak = () => new Promise<PoolEvents['leak']>((resolve) => pool.on('leak', resolve))

  beforeEach(() => open({ leakThreshold: '30ms' }))

  afterEach(() => pool.terminate())

  async function forgetful() {
    return pool.acquire()
  }

  it('a connection that is held too long is reported with the stack of its acquire, and when it comes back', async () => {
    const leak = nextLeak()
    const connection = await forgetful()
    const told = await leak
    expect(told).toMatchObject({ processId: connection.processId, number: 1, returned: false })
    expect(told.stack).toMatch(/^forgetful \(.*leaks\.test\.ts:\d+:\d+\)\n/)
    expect(told.held).toBeGreaterThanOrEqual(30)
    const back = nextLeak()
    await connection.release()
    expect(await back).toMatchObject({ number: 1, stack: told.stack, returned: true })
  })

  it('the stacks of use and transaction begin at their callers', async () => {
    async function lender(how: 'use' | 'transaction') {
      const leak = nextLeak()
      let told: PoolEvents['leak'] | undefined
      await pool[how](async () => {
        told = await leak
      })
      return told?.stack
    }
    expect(await lender('use')).toMatch(/^lender \(.*leaks\.test\.ts/)
    expect(await lender('transaction')).toMatch(/^lender \(.*leaks\.test\.ts/)
  })

  it('R5: a time-out says where the connection was acquired', async () => {
    const connection = await forgetful()
    await expect(pool.acquire({ timeout: 50 })).rejects.toThrow(
      /longest held for .* by forgetful \(.*leaks\.test\.ts/,
    )
    await connection.release()
  })

  it('R13: a close that takes too long names where the connections were acquired', async () => {
    await forgetful()
    await expect(pool.close({ timeout: 50 })).rejects.toThrow(/not released: held for .* by forgetful \(/)
  })

  it('a statement by itself is told by the name of its method', async () => {
    const leak = nextLeak()
    await pool.fetchVal('select pg_sleep(0.1)')
    expect((await leak).stack).toBe('pool.fetchVal()')
  })
})
