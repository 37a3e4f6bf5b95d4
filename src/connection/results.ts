import type { StatementResult } from './commands/query-command.ts'
import type { QueryResult } from './queries.ts'

// What each call makes of a statement's result.

export const allRows = (result: StatementResult) => result.rows
export const firstRow = (result: StatementResult) => result.rows[0] ?? null
export const firstValue = (result: StatementResult) => (result.rows[0] as unknown[] | undefined)?.[0] ?? null
export const commandTag = (result: StatementResult) => result.tag

/** `'INSERT 0 5'` is INSERT with 5 rows; `'CREATE TABLE'` has no count ("CommandComplete", protocol-message-formats). */
export function wholeResult({ rows, tag, statement }: StatementResult): QueryResult<unknown> {
  const words = tag.split(' ')
  const count = Number(words.at(-1))
  const counted = tag !== '' && Number.isInteger(count)
  return {
    rows,
    fields: statement.fields.map(({ name, typeOid, tableOid }) => ({ name, typeOid, tableOid })),
    rowCount: counted ? count : null,
    command: words.filter((word) => !/^\d+$/.test(word)).join(' '),
  }
}
