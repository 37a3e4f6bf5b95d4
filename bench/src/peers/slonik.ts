import { createPool, sql } from 'slonik'
import type { RowClient } from '../workloads/task-by-id.ts'
import type { Usage } from './peer.ts'

export const slonik: Usage<RowClient> = {
  name: 'slonik',
  reset: 'full',
  library: 'slonik',
  async open(dsn, connections) {
    const pool = await createPool(dsn, { maximumPoolSize: connections, minimumPoolSize: connections })
    return {
      fetchRow: ({ strings }, args) => pool.maybeOne(sql.unsafe(strings, ...(args as number[]))),
      close: () => pool.end(),
    }
  },
}
