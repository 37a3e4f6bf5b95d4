import type { Connection } from 'rockpool'
import type { Client, Workload } from './workload.ts'

/** The values of a row, in the order of `taskColumns`. */
export type TaskRecord = [id: number, title: string, done: boolean, createdAt: Date]

export const taskColumns = ['id', 'title', 'done', 'created_at'] as const

export interface ManyClient extends Client {
  /** Inserts all of them, or none, into the table. */
  insertMany(table: string, records: readonly TaskRecord[]): Promise<unknown>
}

export const manyInserts = 10_000

/** No index and no write-ahead log: the client's part of the work is what differs. */
const table = (schema: string) => `${schema}.inserted`

/** Inserts 10,000 rows in one transaction. */
export const insertingMany: Workload<ManyClient> = {
  warmUp: 0,

  create: (connection, schema) => createTaskTable(connection, table(schema)),

  requests(client, schema) {
    const records = taskRecords(manyInserts)
    return {
      ask: () => client.insertMany(table(schema), records),
      check: () => {},
    }
  },

  before: (connection, schema) => empty(connection, table(schema)),

  after: (connection, schema, { requests = 0 }) => checkSum(connection, table(schema), manyInserts, requests),
}

export function taskRecords(count: number): TaskRecord[] {
  const now = Date.now()
  return Array.from({ length: count }, (_, index) => {
    const id = index + 1
    return [id, `task ${id}`, id % 2 === 0, new Date(now - id * 1_000)]
  })
}

export async function createTaskTable(connection: Connection, name: string): Promise<void> {
  await connection.execute(
    `create unlogged table ${name} (id bigint, title text, done boolean, created_at timestamptz)`,
  )
}

export async function empty(connection: Connection, name: string): Promise<void> {
  await connection.execute(`truncate ${name}`)
}

/** @throws Error where the table does not have the tasks 1 to `count`, each of them `times` times. */
export async function checkSum(
  connection: Connection,
  name: string,
  count: number,
  times: number,
): Promise<void> {
  const [rows, sum] = (await connection.fetchRow<[number, string]>(
    `select count(*), sum(id)::text from ${name} where title = 'task ' || id and done = (id % 2 = 0)`,
    [],
    { rowMode: 'array' },
  ))!
  const wanted = (BigInt(count) * BigInt(count + 1) * BigInt(times)) / 2n
  if (rows !== count * times || BigInt(sum) !== wanted) {
    throw new Error(`${times} times ${count} rows were written, ${rows} right ones were found`)
  }
}
