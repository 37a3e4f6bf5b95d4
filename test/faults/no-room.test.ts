import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { adminQuery, ownServer, type RunningServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { endOf } from './support/end-of.ts'
import { expectSlots } from './support/invariants.ts'
import { signal, start, stop } from './support/server-control.ts'

/** What the server has for those who are no superusers; three more are reserved. */
const room = 5

describe(`a server with room for ${room} connections`, () => {
  let own: RunningServer
  let dsn: string
  let pool: Pool
  const frozen: number[] = []

  const freeze = (pids: readonly number[]) => {
    frozen.push(...pids)
    signal(pids, 'SIGSTOP')
  }
  const thaw = () => signal(frozen.splice(0), 'SIGCONT')
  const backends = async () => {
    const rows = await adminQuery<{ pid: number }>(
      own.server.dsn,
      'select pid from pg_stat_activity where usename = $1',
      [own.server.roles.trust.user],
    )
    return rows.map(({ pid }) => pid)
  }

  beforeAll(async () => {
    own = await ownServer()
    const { server } = own
    dsn = server.roles.trust.dsn
    await adminQuery(server.dsn, `alter system set max_connections = ${room + 3}`)
    await adminQuery(server.dsn, 'alter system set max_wal_senders = 0')
    await stop(server, 'fast')
    await start(server)
    await until('it takes connections', () => adminQuery(server.dsn, 'select 1').catch(() => false))
  })

  afterEach(async () => {
    thaw()
    await pool.terminate()
    await until('all room is free', async () => (await backends()).length === 0)
  })

  afterAll(() => own.stop())

  it('serves everybody with what a pool of more can get, and does not storm', async () => {
    pool = await createPool(dsn, { minSize: 2, maxSize: 10 })
    const held = await Promise.all(Array.from({ length: room }, () => pool.acquire()))
    const begun = performance.now()
    expect(await endOf(pool.acquire({ timeout: 600 }))).toBe('POOL_TIMEOUT 53300')
    expectSlots(pool)
    const others = Promise.all(Array.from({ length: 50 }, () => endOf(pool.fetchVal('select 1'))))
    for (const connection of held) await connection.release()
    expect(new Set(await others)).toEqual(new Set(['done']))
    const seconds = (performance.now() - begun) / 1_000
    expect(pool.stats().totals.connectFailures).toBeLessThanOrEqual(4 + 10 * seconds)
    expect(await backends()).toHaveLength(room)
  })

  it('whose room others take: a pool serves with its floor, and grows once they leave', async () => {
    pool = await createPool(dsn, { minSize: 1, maxSize: 4 })
    const others = await createPool(dsn, { minSize: room - 1, maxSize: room - 1 })
    const [mine, more] = [endOf(pool.fetchVal('select pg_sleep(0.05)')), endOf(pool.fetchVal('select 1'))]
    expect([await mine, await more]).toEqual(['done', 'done'])
    await others.close()
    const held = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()))
    expect(pool.size).toBe(4)
    for (const connection of held) await connection.release()
  })

  it('whose backends freeze: each costs its statement’s time-out, all room at most, and is back when they go on', async () => {
    pool = await createPool(dsn, {
      minSize: 2,
      maxSize: 2,
      commandTimeout: 200,
      cancelTimeout: 100,
      closeTimeout: 200,
      checkTimeout: 200,
      connectTimeout: 500,
      hookTimeout: 200,
    })
    const abandoned = async () => (await backends()).filter((pid) => frozen.includes(pid))
    while (frozen.length < room) {
      const connection = await pool.acquire()
      freeze([connection.processId])
      expect(await endOf(connection.fetchVal('select 1'))).toBe('QUERY_TIMEOUT unknown')
      await connection.release()
      expectSlots(pool)
    }
    expect(await abandoned()).toHaveLength(room)
    const before = pool.stats().totals.connectFailures
    const begun = performance.now()
    expect(await endOf(pool.acquire({ timeout: 600 }))).toBe('POOL_TIMEOUT 53300')
    const seconds = (performance.now() - begun) / 1_000
    expect(pool.stats().totals.connectFailures - before).toBeLessThanOrEqual(4 + 10 * seconds)
    thaw()
    expect(await endOf(pool.fetchVal('select 1', [], { timeout: '5s' }))).toBe('done')
    await until('the floor is back', () => pool.idleSize === 2)
    await until('those that were frozen have left', async () => (await backends()).length === 2)
  })
})
