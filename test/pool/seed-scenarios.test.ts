import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Connection,
  createPool,
  type Pool,
  type PoolOptions,
  QueryTimeoutError,
} from '../../src/index.ts'
import { backends, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

/** The settings of the seed's service. */
const seed: PoolOptions = {
  minSize: 10,
  maxSize: 20,
  commandTimeout: '60s',
  maxQueries: 50_000,
  maxInactiveConnectionLifetime: '300s',
}

describe.for(servers())("the seed's scenarios on PostgreSQL $major", (server) => {
  let dsn: string
  let pool: Pool

  const open = async (options: PoolOptions = {}) => {
    pool = await createPool(dsn, { ...seed, ...options })
    return pool
  }
  const acquire = (count: number) => Promise.all(Array.from({ length: count }, () => pool.acquire()))
  const releaseAll = (connections: Connection[]) =>
    Promise.all(connections.map((connection) => connection.release()))
  const pids = async () => (await backends(dsn)).map(({ pid }) => pid)

  beforeEach(async () => {
    dsn = await freshDatabase(server)
  })

  afterEach(() => pool.terminate())

  it('ten connections are ready at the start', async () => {
    await open()
    expect(pool).toMatchObject({ size: 10, idleSize: 10, minSize: 10, maxSize: 20 })
    const rows = await backends(dsn)
    expect(rows.length).toBe(10)
    expect(rows.every(({ state }) => state === 'idle')).toBe(true)
  })

  it('five requests at once take five of them', async () => {
    await open()
    const five = await acquire(5)
    expect(pool).toMatchObject({ size: 10, idleSize: 5 })
    expect(new Set(five.map(({ processId }) => processId)).size).toBe(5)
    expect((await pids()).length).toBe(10)
  })

  it('a sixth request takes one that came back: the same backend', async () => {
    await open()
    const five = await acquire(5)
    const first = five[0]!
    await first.fetchVal('select 1')
    const { processId } = first
    await first.release()
    await until('it is back', () => pool.idleSize === 6)
    const sixth = await pool.acquire()
    expect(sixth.processId).toBe(processId)
    expect(await sixth.fetchVal('select pg_backend_pid()')).toBe(processId)
    expect(pool.size).toBe(10)
  })

  it('the connection is not closed when it is given back', async () => {
    await open()
    const before = await pids()
    for (let i = 0; i < 30; i++) await pool.use((connection) => connection.fetchVal('select 1'))
    expect(await pids()).toEqual(before)
  })

  it('grows from minSize to maxSize', async () => {
    await open()
    const all = await acquire(20)
    expect(pool).toMatchObject({ size: 20, idleSize: 0 })
    expect((await pids()).length).toBe(20)
    await releaseAll(all)
  })

  it('the twenty-first waits for the first release', async () => {
    await open()
    const all = await acquire(20)
    let served = false
    const twentyFirst = pool.acquire().then((connection) => {
      served = true
      return connection
    })
    expect(pool.waitingSize).toBe(1)
    await Promise.all(all.map((connection) => connection.fetchVal('select 1')))
    expect(served).toBe(false)
    await all[7]!.release()
    const connection = await twentyFirst
    expect(connection.processId).toBe(all[7]!.processId)
    expect((await pids()).length).toBe(20)
  })

  it('a connection that was used maxQueries times is replaced', async () => {
    await open({ minSize: 1, maxSize: 1, maxQueries: 3 })
    const [old] = await pids()
    for (let i = 0; i < 3; i++) expect(await pool.fetchVal('select pg_backend_pid()')).toBe(old)
    expect(await pool.fetchVal('select pg_backend_pid()')).not.toBe(old)
    await until('the old backend is gone', async () => !(await pids()).includes(old!))
    expect(pool.size).toBe(1)
  })

  it('one that is idle above the floor is closed after its time, and the floor stays', async () => {
    await open({ minSize: 2, maxSize: 5, maxInactiveConnectionLifetime: '300ms' })
    await releaseAll(await acquire(5))
    await until('five are idle', () => pool.idleSize === 5)
    await until('three of them are closed', async () => pool.size === 2 && (await pids()).length === 2)
    expect(pool.stats().totals.closed.idle).toBe(3)
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('the command time-out ends a pg_sleep on the server', async () => {
    await open({ commandTimeout: '2s' })
    const connection = await pool.acquire()
    const sleeping = connection.execute('select pg_sleep(60)')
    sleeping.catch(() => {})
    const row = async () => (await backends(dsn)).find(({ pid }) => pid === connection.processId)
    await until('it sleeps', async () => (await row())?.state === 'active')
    await expect(sleeping).rejects.toThrow(QueryTimeoutError)
    expect((await row())?.state).toBe('idle')
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('close at shut-down leaves no backend', async () => {
    await open()
    const connection = await pool.acquire()
    const closing = pool.close()
    expect(await connection.fetchVal('select 1')).toBe(1)
    await connection.release()
    await closing
    expect(pool.size).toBe(0)
    await until('no backend is left', async () => (await pids()).length === 0)
  })
})
