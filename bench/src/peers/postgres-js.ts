import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import postgres from 'postgres'
import type { CopyClient, RecordsClient } from '../workloads/copying.ts'
import { type ManyClient, type TaskRecord, taskColumns } from '../workloads/many-inserts.ts'
import type { RowClient } from '../workloads/task-by-id.ts'
import type { RowsClient } from '../workloads/thousand-rows.ts'
import type { Usage } from './peer.ts'
import { taking } from './taking.ts'
import { textOf } from './text-lines.ts'

export const postgresJs: Usage<RowClient & RowsClient & ManyClient & CopyClient & RecordsClient> = {
  name: 'postgres.js',
  reset: 'none',
  library: 'postgres',
  async open(dsn, connections) {
    const sql = openSql(dsn, connections)
    const copyIn = async (table: string, chunks: Iterable<Buffer | string>) =>
      pipeline(Readable.from(chunks), await sql`copy ${sql(table)} from stdin`.writable())
    return {
      fetchRow: async ({ strings }, args) => (await sql(strings, ...(args as number[])))[0],
      fetch: async ({ strings }) => sql(strings),
      insertMany: async (table, records) => {
        await sql`insert into ${sql(table)} ${sql(records.map(toObject), ...taskColumns)}`
      },
      copyIn,
      copyOut: async (table, take) =>
        pipeline(await sql`copy ${sql(table)} to stdout`.readable(), taking(take)),
      copyRecords: (table, records) => copyIn(table, textOf(records)),
      close: () => sql.end(),
    }
  },
}

function toObject([id, title, done, created_at]: TaskRecord) {
  return { id, title, done, created_at }
}

export function openSql(dsn: string, connections: number): postgres.Sql {
  return postgres(dsn, { max: connections })
}
