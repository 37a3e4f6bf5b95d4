import { type Client, type Statement, statement, type Workload } from './workload.ts'

export interface RowClient extends Client {
  /** The first row; `null` or `undefined` where there is none. */
  fetchRow(statement: Statement, args: readonly unknown[]): Promise<unknown>
}

const tasks = 1_000
/** Shares no factor with `tasks`: its multiples reach every id before one comes again. */
const stride = 619

const titles = Array.from({ length: tasks + 1 }, (_, id) => `task ${id}`)

/** Reads one task of four columns by its primary key, another one each time. */
export const taskById: Workload<RowClient> = {
  warmUp: 0.3,

  async create(connection, schema) {
    await connection.execute(
      `create table ${schema}.tasks (
         id bigint primary key,
         title text not null,
         done boolean not null default false,
         created_at timestamptz not null default now()
       );
       insert into ${schema}.tasks (id, title) select n, 'task ' || n from generate_series(1, ${tasks}) n`,
    )
    await connection.execute(`vacuum analyze ${schema}.tasks`)
  },

  requests(client, schema) {
    const byId = taskByIdStatement(schema)
    return {
      ask: (number) => client.fetchRow(byId, [idOf(number)]),
      check(number, answer) {
        const id = idOf(number)
        const row = answer as { id: unknown; title: unknown } | null | undefined
        // Some libraries give a bigint as text.
        if (Number(row?.id) !== id || row?.title !== titles[id]) {
          throw new Error(`asked for task ${id}, the answer was ${JSON.stringify(row)}`)
        }
      },
    }
  },
}

export const taskByIdDescription = `select id, title, done, created_at from tasks where id = $1 (${tasks} tasks)`

export function taskByIdStatement(schema: string): Statement {
  return statement('task_by_id', `select id, title, done, created_at from ${schema}.tasks where id = $1`)
}

/** The task that the request of this number asks for. */
export function idOf(number: number): number {
  return ((number * stride) % tasks) + 1
}
