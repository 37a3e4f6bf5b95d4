import pg from 'pg'
import type { Statement } from '../workloads/workload.ts'
import type { Peer } from './peer.ts'

/** node-postgres' `pool.query`, which takes a connection, runs the statement and gives the connection back as it is. */
export const nodePostgres: readonly Peer[] = [
  peer('pg.Pool: named statement', ({ name, text }, values) => ({ name, text, values })),
  peer('pg.Pool: unnamed statement', ({ text }, values) => ({ text, values })),
]

function peer(name: string, config: (statement: Statement, values: unknown[]) => pg.QueryConfig): Peer {
  return {
    name,
    reset: 'none',
    async open(dsn, connections) {
      // Idle connections stay, as ours do: none is opened anew in a later round.
      const pool = new pg.Pool({ connectionString: dsn, max: connections, idleTimeoutMillis: 0 })
      return {
        fetchRow: async (statement, args) => (await pool.query(config(statement, [...args]))).rows[0] ?? null,
        close: () => pool.end(),
      }
    },
  }
}
