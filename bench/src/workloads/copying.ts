import { checkSum, createTaskTable, empty, type TaskRecord, taskRecords } from './many-inserts.ts'
import type { Client, Stage, Workload } from './workload.ts'

export interface CopyClient extends Client {
  /** COPY … FROM STDIN in the text format. */
  copyIn(table: string, chunks: Iterable<Buffer>): Promise<unknown>
  /** COPY … TO STDOUT in the text format; `take` gets every chunk. */
  copyOut(table: string, take: (chunk: Uint8Array) => void): Promise<unknown>
}

export interface RecordsClient extends Client {
  /** COPY … FROM STDIN of what a program has as values. */
  copyRecords(table: string, records: Iterable<TaskRecord>): Promise<unknown>
}

export const copiedRows = 1_000_000
const chunkBytes = 64 * 1024
const target = (schema: string) => `${schema}.copied`
const source = (schema: string) => `${schema}.tasks`

const written: Stage = {
  create: (connection, schema) => createTaskTable(connection, target(schema)),
  before: (connection, schema) => empty(connection, target(schema)),
  after: (connection, schema, { requests = 0 }) => checkSum(connection, target(schema), copiedRows, requests),
}

/** Writes 1,000,000 rows that are text already. */
export const copyingIn: Workload<CopyClient> = {
  ...written,
  warmUp: 0,
  requests(client, schema) {
    const chunks = textChunks()
    return { ask: () => client.copyIn(target(schema), chunks), check: () => {} }
  },
}

/** Writes 1,000,000 rows that are values. */
export const copyingRecords: Workload<RecordsClient> = {
  ...written,
  warmUp: 0,
  requests(client, schema) {
    const records = taskRecords(copiedRows)
    return { ask: () => client.copyRecords(target(schema), records), check: () => {} }
  },
}

/** Reads 1,000,000 rows as text. */
export const copyingOut: Workload<CopyClient> = {
  warmUp: 0,

  async create(connection, schema) {
    await createTaskTable(connection, source(schema))
    await connection.execute(
      `insert into ${source(schema)}
         select n, 'task ' || n, n % 2 = 0, now() - n * interval '1 second' from generate_series(1, ${copiedRows}) n`,
    )
    await connection.execute(`vacuum analyze ${source(schema)}`)
  },

  requests(client, schema) {
    return {
      async ask() {
        let lines = 0
        await client.copyOut(source(schema), (chunk) => {
          lines += countLines(chunk)
        })
        return lines
      },
      check(_, lines) {
        if (lines !== copiedRows) throw new Error(`${lines} rows were read`)
      },
    }
  },
}

const newline = 10

function countLines(chunk: Uint8Array): number {
  let lines = 0
  for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) lines++
  return lines
}

/** A record as COPY's text format has it. */
export function textLine([id, title, done, createdAt]: TaskRecord): string {
  return `${id}\t${title}\t${done ? 't' : 'f'}\t${createdAt.toISOString()}\n`
}

function textChunks(): Buffer[] {
  const whole = Buffer.from(taskRecords(copiedRows).map(textLine).join(''))
  return Array.from({ length: Math.ceil(whole.length / chunkBytes) }, (_, index) =>
    whole.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  )
}
