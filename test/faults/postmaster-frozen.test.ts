import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { ownServer, type RunningServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { endOf } from './support/end-of.ts'
import { postmaster, signal } from './support/server-control.ts'

describe('while the postmaster is frozen, which the system still connects to,', () => {
  let own: RunningServer
  let pool: Pool | undefined
  let frozen: number[] = []

  const freeze = async () => {
    frozen = [await postmaster(own.server)]
    signal(frozen, 'SIGSTOP')
  }
  const thaw = () => signal(frozen.splice(0), 'SIGCONT')

  beforeAll(async () => {
    own = await ownServer()
  })

  afterEach(async () => {
    thaw()
    await pool?.terminate()
  })

  afterAll(() => own.stop())

  it('a connect ends at connectTimeout', async () => {
    await freeze()
    const failure = createPool(own.server.dsn, { connectTimeout: 200 })
    await expect(failure).rejects.toMatchObject({ code: 'ROCKPOOL_CONNECT', permanent: false })
    await expect(failure).rejects.toThrow('not ready within 200 ms (connectTimeout)')
  })

  it('what is open serves, what is not is waited for until acquireTimeout, and is opened once it goes on', async () => {
    pool = await createPool(own.server.dsn, { minSize: 1, maxSize: 2, connectTimeout: '1s' })
    const held = await pool.acquire()
    await freeze()
    expect(await held.fetchVal('select 1')).toBe(1)
    const failure = pool.acquire({ timeout: 2_500 })
    await expect(failure).rejects.toThrow(/1 of 2 in use.* the last connect failed: .*connectTimeout/)
    thaw()
    expect(await endOf(pool.fetchVal('select 1'))).toBe('done')
    await held.release()
    expect(pool.size).toBe(2)
  })

  it('R8: a statement that cannot be cancelled is told to be unknown, and its connection is given up', async () => {
    pool = await createPool(own.server.dsn, { minSize: 1, maxSize: 1, cancelTimeout: 200 })
    const connection = await pool.acquire()
    await connection.fetch('select pg_sleep($1)', [0])
    await freeze()
    const call = connection.fetch('select pg_sleep($1)', [30], { timeout: 300 })
    expect(await endOf(call)).toBe('QUERY_TIMEOUT unknown')
    await until('it is closed', () => connection.isClosed)
    await connection.release()
    thaw()
    expect(await endOf(pool.fetchVal('select 1'))).toBe('done')
    expect(pool.stats()).toMatchObject({ size: 1, closing: 0 })
  })
})
