import { createPool, type Pool, type PoolOptions } from 'rockpool'
import type { CopyClient, RecordsClient } from '../workloads/copying.ts'
import { type ManyClient, taskColumns } from '../workloads/many-inserts.ts'
import type { RowClient } from '../workloads/task-by-id.ts'
import type { RowsClient } from '../workloads/thousand-rows.ts'
import type { Reset, Usage } from './peer.ts'
import { taking } from './taking.ts'

const resets = { always: 'full', auto: 'auto', never: 'none' } as const satisfies Record<string, Reset>

/** The pool by its one-shots. */
export function oneShots(name: string, reset: keyof typeof resets = 'always'): Usage<RowClient & RowsClient> {
  return {
    name,
    reset: resets[reset],
    library: 'rockpool',
    async open(dsn, connections) {
      const pool = await openPool(dsn, connections, { reset })
      return {
        fetchRow: ({ text }, args) => pool.fetchRow(text, args),
        fetch: ({ text }) => pool.fetch(text),
        close: () => pool.close(),
      }
    },
  }
}

/** The pool by leases. */
export function leases(name: string, reset: keyof typeof resets = 'always'): Usage<RowClient> {
  return {
    name,
    reset: resets[reset],
    library: 'rockpool',
    open: async (dsn, connections) => leasing(await openPool(dsn, connections, { reset })),
  }
}

/** Takes a connection for each request, as an endpoint of the seed's service does; closes the pool with itself. */
export function leasing(pool: Pool): RowClient {
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

/** What takes long, on a connection of its own. */
export const bulk: Usage<ManyClient & CopyClient & RecordsClient> = {
  name: 'rockpool',
  reset: 'full',
  library: 'rockpool',
  async open(dsn, connections) {
    const pool = await openPool(dsn, connections)
    return {
      insertMany: (table, records) =>
        pool.use((connection) =>
          connection.executeMany(`insert into ${table} values ($1, $2, $3, $4)`, records),
        ),
      copyIn: (table, source) =>
        pool.use((connection) => connection.copyToTable(...named(table, { source }))),
      copyOut: (table, take) =>
        pool.use((connection) => connection.copyFromTable(...named(table, { output: taking(take) }))),
      copyRecords: (table, records) =>
        pool.use((connection) =>
          connection.copyRecordsToTable(...named(table, { records, columns: taskColumns })),
        ),
      close: () => pool.close(),
    }
  },
}

function named<O>(qualified: string, options: O): [table: string, options: O & { schema: string }] {
  const [schema, table] = qualified.split('.') as [string, string]
  return [table, { ...options, schema }]
}

export function openPool(dsn: string, connections: number, options: PoolOptions = {}): Promise<Pool> {
  return createPool(dsn, { minSize: connections, maxSize: connections, ...options })
}
