import { randomBytes } from 'node:crypto'
import { once } from '../server.ts'

/** The tasks that are there before the first request; their ids begin at 1. */
export const tasks = 1_000

/** The DSN, with a schema of its own that every session begins in; `drop` removes it. */
export async function ownSchema(dsn: string): Promise<{ dsn: string; drop(): Promise<void> }> {
  const schema = `rockpool_bench_${randomBytes(4).toString('hex')}`
  const url = new URL(dsn)
  url.searchParams.set('options', `-csearch_path=${schema}`)
  await once(dsn, (connection) => connection.execute(`create schema ${schema}`))
  return {
    dsn: url.href,
    drop: () =>
      once(dsn, async (connection) => void (await connection.execute(`drop schema ${schema} cascade`))),
  }
}

/** Into the table that the service made. */
export async function fill(dsn: string): Promise<void> {
  await once(dsn, async (connection) => {
    await connection.execute(
      `insert into tasks (title) select 'task ' || n from generate_series(1, ${tasks}) n`,
    )
    await connection.execute('vacuum analyze tasks')
  })
}

export async function countTasks(dsn: string): Promise<number> {
  const count = await once(dsn, (connection) => connection.fetchVal<number>('select count(*) from tasks'))
  return count!
}

/** @throws Error where the server answers with another task than that it was asked for. */
export async function checkSample(origin: string, path: string): Promise<void> {
  for (const id of [1, Math.ceil(tasks / 2), tasks]) {
    const response = await fetch(`${origin}${path}${id}`)
    const task = (await response.json()) as { id?: unknown; title?: unknown }
    if (response.status !== 200 || task.id !== id || task.title !== `task ${id}`) {
      throw new Error(`${path}${id}: ${response.status} ${JSON.stringify(task)}`)
    }
  }
}
