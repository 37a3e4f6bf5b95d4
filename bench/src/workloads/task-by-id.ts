import { randomBytes } from 'node:crypto'
import { once } from '../server.ts'
import type { Client, Statement, Workload } from './workload.ts'

const tasks = 1_000
/** Shares no factor with `tasks`: its multiples reach every id before one comes again. */
const stride = 619

/** Reads one task of four columns by its primary key, another one each time. */
export class TaskById implements Workload {
  readonly description = `select id, title, done, created_at from tasks where id = $1 (${tasks} tasks)`
  readonly #dsn: string
  readonly #schema: string
  readonly #statement: Statement
  #asked = 0
  #checked = 0

  private constructor(dsn: string, schema: string) {
    this.#dsn = dsn
    this.#schema = schema
    this.#statement = {
      name: 'task_by_id',
      text: `select id, title, done, created_at from ${schema}.tasks where id = $1`,
    }
  }

  /** Makes the table, in a schema that is this workload's alone. */
  static async create(dsn: string): Promise<TaskById> {
    const schema = `rockpool_bench_${randomBytes(4).toString('hex')}`
    await once(dsn, async (connection) => {
      await connection.execute(
        `create schema ${schema};
         create table ${schema}.tasks (
           id bigint primary key,
           title text not null,
           done boolean not null default false,
           created_at timestamptz not null default now()
         );
         insert into ${schema}.tasks (id, title) select n, 'task ' || n from generate_series(1, ${tasks}) n`,
      )
      await connection.execute(`vacuum analyze ${schema}.tasks`)
    })
    return new TaskById(dsn, schema)
  }

  get checked(): number {
    return this.#checked
  }

  async request(client: Client): Promise<void> {
    const id = ((this.#asked++ * stride) % tasks) + 1
    const row = (await client.fetchRow(this.#statement, [id])) as
      | { id: unknown; title: unknown }
      | null
      | undefined
    // Some libraries give a bigint as text.
    if (Number(row?.id) !== id || row?.title !== `task ${id}`) {
      throw new Error(`asked for task ${id}, the answer was ${JSON.stringify(row)}`)
    }
    this.#checked++
  }

  drop(): Promise<void> {
    return once(this.#dsn, async (connection) => {
      await connection.execute(`drop schema ${this.#schema} cascade`)
    })
  }
}
