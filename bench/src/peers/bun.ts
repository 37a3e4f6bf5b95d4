import { bun } from '../runtimes/program.ts'
import type { RowClient } from '../workloads/task-by-id.ts'
import type { RowsClient } from '../workloads/thousand-rows.ts'
import type { Usage } from './peer.ts'

/** What is used here of Bun's own client. */
interface BunSql {
  (strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<unknown[]>
  close(): Promise<void>
}

declare const Bun: { SQL: new (options: { url: string; max: number; idleTimeout: number }) => BunSql }

export const bunSql: Usage<RowClient & RowsClient> = {
  name: 'Bun.sql',
  reset: 'none',
  runtime: bun,
  async open(dsn, connections) {
    const sql = new Bun.SQL({ url: dsn, max: connections, idleTimeout: 0 })
    return {
      fetchRow: async ({ strings }, args) => (await sql(strings, ...args))[0],
      fetch: ({ strings }) => sql(strings),
      close: () => sql.close(),
    }
  },
}
