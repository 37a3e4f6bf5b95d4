import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPool, type Pool, PoolClosedError, type PoolOptions } from '../../src/index.ts'
import { adminQuery, backends, freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe("where asyncpg's pool goes wrong, this one", () => {
  let dsn: string
  let pool: Pool

  const open = async (options: PoolOptions) => {
    pool = await createPool(dsn, options)
  }
  const pids = async () => (await backends(dsn)).map(({ pid }) => pid)
  const replaced = (before: readonly number[]) =>
    until('the floor is back with other backends', async () => {
      const now = await pids()
      return (
        pool.idleSize === before.length &&
        now.length === before.length &&
        !now.some((pid) => before.includes(pid))
      )
    })

  beforeEach(async () => {
    dsn = await freshDatabase()
  })

  afterEach(() => pool.terminate())

  it('R13: serves those who wait when close is called, and is closed after the last of them', async () => {
    await open({ minSize: 1, maxSize: 1 })
    const held = await pool.acquire()
    const served: number[] = []
    const waiting = [1, 2, 3].map((turn) =>
      pool.use(async (connection) =>
        served.push((await connection.fetchVal<number>('select $1::int', [turn]))!),
      ),
    )
    const closed = pool.close()
    await expect(pool.acquire()).rejects.toThrow(PoolClosedError)
    await held.release()
    await Promise.all([...waiting, closed])
    expect(served).toEqual([1, 2, 3])
    expect(await pids()).toEqual([])
  })

  it('R13: rejects those who wait when terminate is called, at once', async () => {
    await open({ minSize: 1, maxSize: 1, acquireTimeout: 0 })
    const held = await pool.acquire()
    const waiting = [pool.acquire(), pool.fetch('select 1'), pool.transaction(() => {})]
    const ends = Promise.allSettled(waiting)
    await pool.terminate()
    for (const end of await ends) expect(end).toMatchObject({ reason: { code: 'ROCKPOOL_POOL_CLOSED' } })
    await held.release()
    await until('no backend is left', async () => (await pids()).length === 0)
  })

  it('R2: keeps its floor when every connection has run maxQueries', async () => {
    await open({ minSize: 4, maxSize: 4, maxQueries: 1 })
    const before = await pids()
    const all = await Promise.all(before.map(() => pool.acquire()))
    for (const connection of all) await connection.execute('select 1')
    for (const connection of all) await connection.release()
    await replaced(before)
  })

  it('R2: keeps its floor when nobody calls for longer than the idle lifetime', async () => {
    await open({ minSize: 3, maxSize: 6, maxInactiveConnectionLifetime: '50ms' })
    const six = await Promise.all(Array.from({ length: 6 }, () => pool.acquire()))
    for (const connection of six) await connection.release()
    await until('the surplus is closed', () => pool.stats().totals.closed.idle === 3)
    expect(pool).toMatchObject({ size: 3, idleSize: 3 })
    await until('their servers are gone', async () => (await pids()).length === 3)
  })

  it.for(['pg_terminate_backend', 'expireConnections'])(
    'R2: keeps its floor after %s on all',
    async (way) => {
      await open({ minSize: 4, maxSize: 8 })
      const before = await pids()
      if (way === 'expireConnections') pool.expireConnections()
      else for (const pid of before) await adminQuery(dsn, 'select pg_terminate_backend($1)', [pid])
      await replaced(before)
      expect(await pool.fetchVal('select 1')).toBe(1)
    },
  )

  it('R3: serves 50 callers of one connection in the order in which they came, one-shots among them', async () => {
    await open({ minSize: 1, maxSize: 1 })
    const held = await pool.acquire()
    await held.execute('create table served (place serial, turn int)')
    const note = 'insert into served (turn) values ($1)'
    const came = Array.from({ length: 50 }, (_, turn) =>
      turn % 2 === 0
        ? pool.use((connection) => connection.execute(note, [turn]))
        : pool.execute(note, [turn]),
    )
    await held.release()
    const newcomer = pool.use((connection) => connection.execute(note, [50]))
    await Promise.all([...came, newcomer])
    const order = await pool.fetchVal('select array_agg(turn order by place) from served')
    expect(order).toEqual(Array.from({ length: 51 }, (_, turn) => turn))
  })

  it('R8: a caller that leaves while it is served costs the pool no connection', async () => {
    await open({ minSize: 2, maxSize: 2 })
    const before = await pids()
    for (let round = 0; round < 20; round++) {
      const signal = AbortSignal.timeout(round % 5)
      await pool.use((connection) => connection.fetch('select pg_sleep(60)', [], { signal })).catch(() => {})
    }
    await until('all are back', () => pool.idleSize === 2)
    expect(await pids()).toEqual(before)
  })
})
