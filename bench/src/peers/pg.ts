import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { CopyClient, RecordsClient } from '../workloads/copying.ts'
import type { ManyClient } from '../workloads/many-inserts.ts'
import type { RowClient } from '../workloads/task-by-id.ts'
import type { RowsClient } from '../workloads/thousand-rows.ts'
import type { Statement } from '../workloads/workload.ts'
import type { Usage } from './peer.ts'
import { taking } from './taking.ts'
import { textOf } from './text-lines.ts'

type Config = (statement: Statement, values: unknown[]) => pg.QueryConfig

const named: Config = ({ name, text }, values) => ({ name, text, values })
const unnamed: Config = ({ text }, values) => ({ text, values })

/** node-postgres' `pool.query`, which takes a connection, runs the statement and gives the connection back as it is. */
export const pgNamed = querying('pg.Pool: named statement', named)
export const pgUnnamed = querying('pg.Pool: unnamed statement', unnamed)

function querying(name: string, config: Config): Usage<RowClient & RowsClient> {
  return {
    name,
    reset: 'none',
    library: 'pg',
    async open(dsn, connections) {
      const pool = openPool(dsn, connections)
      return {
        fetchRow: async (statement, args) => (await pool.query(config(statement, [...args]))).rows[0],
        fetch: async (statement) => (await pool.query(config(statement, []))).rows,
        close: () => pool.end(),
      }
    },
  }
}

export const pgLeases: Usage<RowClient> = {
  name: 'pg.Pool: connect + named statement + release',
  reset: 'none',
  library: 'pg',
  async open(dsn, connections) {
    const pool = openPool(dsn, connections)
    return {
      async fetchRow(statement, args) {
        const client = await pool.connect()
        try {
          return (await client.query(named(statement, [...args]))).rows[0]
        } finally {
          client.release()
        }
      },
      close: () => pool.end(),
    }
  },
}

/** A statement for each row, in a transaction. */
export const pgInserts: Usage<ManyClient> = {
  name: 'pg: a named statement for each row',
  reset: 'none',
  library: 'pg',
  open: (dsn) =>
    onOneClient(dsn, (client) => ({
      async insertMany(table, records) {
        await client.query('begin')
        for (const values of records) {
          await client.query({ name: 'insert', text: `insert into ${table} values ($1, $2, $3, $4)`, values })
        }
        await client.query('commit')
      },
    })),
}

/** One statement for all rows, with an array for each column. */
export const pgUnnest: Usage<ManyClient> = {
  name: 'pg: one statement with unnest',
  reset: 'none',
  library: 'pg',
  open: (dsn) =>
    onOneClient(dsn, (client) => ({
      insertMany: (table, records) =>
        client.query({
          name: 'insert',
          text: `insert into ${table}
                 select * from unnest($1::bigint[], $2::text[], $3::boolean[], $4::timestamptz[])`,
          values: [0, 1, 2, 3].map((column) => records.map((record) => record[column])),
        }),
    })),
}

export const pgCopy: Usage<CopyClient & RecordsClient> = {
  name: 'pg + pg-copy-streams',
  reset: 'none',
  library: 'pg-copy-streams',
  open: (dsn) =>
    onOneClient(dsn, (client) => ({
      copyIn: (table, chunks) =>
        pipeline(Readable.from(chunks), client.query(copyFrom(`copy ${table} from stdin`))),
      copyOut: (table, take) => pipeline(client.query(copyTo(`copy ${table} to stdout`)), taking(take)),
      copyRecords: (table, records) =>
        pipeline(Readable.from(textOf(records)), client.query(copyFrom(`copy ${table} from stdin`))),
    })),
}

async function onOneClient<T extends object>(
  dsn: string,
  use: (client: pg.Client) => T,
): Promise<T & { close(): Promise<void> }> {
  const client = new pg.Client(dsn)
  await client.connect()
  return { ...use(client), close: () => client.end() }
}

/** Idle connections stay, as ours do: none is opened anew in a later round. */
export function openPool(dsn: string, connections: number): pg.Pool {
  return new pg.Pool({ connectionString: dsn, max: connections, idleTimeoutMillis: 0 })
}
