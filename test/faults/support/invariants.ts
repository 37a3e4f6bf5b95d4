import { expect } from 'vitest'
import type { Pool } from '../../../src/index.ts'
import { until } from '../../support/until.ts'
import type { Scene } from './scene.ts'

/** I1: open, connecting, closing and free slots make up `maxSize`. */
export function expectSlots(pool: Pool): void {
  const { maxSize, size, free, connecting, closing, ...rest } = pool.stats()
  expect(size + free + connecting + closing).toBe(maxSize)
  const { checking, preparing, idle, leased, resetting } = rest
  expect(checking + preparing + idle + leased + resetting).toBe(size)
}

/**
 * I1, I4: the pool's slots add up, and the server has no more of its backends than `maxSize`, but for those whose
 * connection the pool has closed: the server may not know it yet, and a frozen one never will.
 */
export async function expectInvariants(scene: Scene): Promise<void> {
  const { pool, ground, applicationName } = scene
  expectSlots(pool)
  const { length } = await ground.observer.backendsOf(applicationName)
  expect(length).toBeLessThanOrEqual(pool.maxSize + scene.losses)
}

/** I4, I10: the server has the pool's connections and, but for the `abandoned` ones, no others. */
export async function expectNoOthers(scene: Scene, abandoned: readonly number[]): Promise<void> {
  const { pool, ground, applicationName } = scene
  await until(`"${applicationName}" has as many backends as connections`, async () => {
    const pids = await ground.observer.backendsOf(applicationName)
    return pids.filter((pid) => !abandoned.includes(pid)).length === pool.size
  })
}

const sessionState = `
  select (select setting = reset_val from pg_settings where name = 'work_mem') as "isReset",
    (select count(*)::int from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') as locks`

/** I3, I6: as many owners as there are connections have one each, and none sees what another left. */
export async function expectCleanSessions({ pool }: Scene): Promise<void> {
  const owners = Array.from({ length: pool.maxSize }, () => pool.acquire())
  const connections = await Promise.all(owners)
  expect(new Set(connections.map(({ processId }) => processId)).size).toBe(pool.maxSize)
  for (const connection of connections) {
    expect(connection.isInTransaction).toBe(false)
    expect(await connection.fetchRow(sessionState)).toEqual({ isReset: true, locks: 0 })
    await connection.release()
  }
  await until('all are given back', () => pool.stats().leased + pool.stats().resetting === 0)
}

/** I9: sockets, listening ones among them, and timers of this process. */
export function openHandles(): Record<string, number> {
  const kinds = process.getActiveResourcesInfo()
  const count = (kind: string) => kinds.filter((name) => name === kind).length
  return { sockets: count('TCPSocketWrap'), servers: count('TCPServerWrap'), timers: count('Timeout') }
}
