import { createPool, type Pool, type PoolOptions } from 'rockpool'
import type { Client } from '../workloads/workload.ts'
import type { Peer } from './peer.ts'

/** The pool by its one-shots and by leases. */
export const rockpool: readonly Peer[] = [
  {
    name: 'rockpool: pool.fetchRow',
    reset: 'full',
    async open(dsn, connections) {
      const pool = await poolOf(dsn, connections)
      return {
        fetchRow: ({ text }, args) => pool.fetchRow(text, args),
        close: () => pool.close(),
      }
    },
  },
  {
    name: 'rockpool: acquire + fetchRow + release',
    reset: 'full',
    open: async (dsn, connections) => leasing(await poolOf(dsn, connections)),
  },
]

/** Takes a connection for each request, as an endpoint of the seed's service does; closes the pool with itself. */
export function leasing(pool: Pool): Client {
  return {
    async fetchRow({ text }, args) {
      const connection = await pool.acquire()
      try {
        return await connection.fetchRow(text, args)
      } finally {
        await connection.release()
      }
    },
    close: () => pool.close(),
  }
}

function poolOf(dsn: string, connections: number): Promise<Pool> {
  const options: PoolOptions = { minSize: connections, maxSize: connections }
  return createPool(dsn, options)
}
