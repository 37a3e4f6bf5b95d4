import { randomBytes } from 'node:crypto'
import type { Connection } from 'rockpool'
import { once } from './server.ts'
import type { Stage } from './workloads/workload.ts'

/** Runs `work` beside the stage's tables, in a schema that is dropped in the end. */
export function staged<T>(
  dsn: string,
  stage: Stage,
  work: (connection: Connection, schema: string) => Promise<T>,
): Promise<T> {
  const schema = `rockpool_bench_${randomBytes(4).toString('hex')}`
  return once(dsn, async (connection) => {
    await connection.execute(`create schema ${schema}`)
    try {
      await stage.create(connection, schema)
      return await work(connection, schema)
    } finally {
      await connection.execute(`drop schema ${schema} cascade`)
    }
  })
}
