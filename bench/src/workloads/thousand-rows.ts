import { type Client, type Statement, statement, type Workload } from './workload.ts'

export interface RowsClient extends Client {
  fetch(statement: Statement): Promise<unknown>
}

const rows = 1_000

/** Reads a table of 1,000 rows and four columns. */
export const thousandRows: Workload<RowsClient> = {
  warmUp: 0.3,

  async create(connection, schema) {
    await connection.execute(
      `create table ${schema}.tasks (id bigint, title text, done boolean, created_at timestamptz);
       insert into ${schema}.tasks
         select n, 'task ' || n, n % 2 = 0, now() - n * interval '1 minute' from generate_series(1, ${rows}) n`,
    )
    await connection.execute(`vacuum analyze ${schema}.tasks`)
  },

  requests(client, schema) {
    const all = statement('thousand_rows', `select id, title, done, created_at from ${schema}.tasks`)
    return {
      ask: () => client.fetch(all),
      check(number, answer) {
        const found = answer as readonly { id: unknown; title: unknown; done: unknown; created_at: unknown }[]
        // One row of each answer, another one each time, and the number of them.
        const row = found[number % rows]
        const wanted = (number % rows) + 1
        if (
          found.length !== rows ||
          Number(row?.id) !== wanted ||
          row?.title !== `task ${wanted}` ||
          row.done !== (wanted % 2 === 0) ||
          !(row.created_at instanceof Date)
        ) {
          throw new Error(`${found.length} rows, row ${wanted} of which is ${JSON.stringify(row)}`)
        }
      },
    }
  },
}
