import { endOfComment } from './sql-tokens.ts'

const passedOver = /(?:[ \t\n\r\f\v(;]+|--[^\r\n]*)+/y
const word = /[a-z]+/iy

/**
 * The first word of a statement, in lower case; empty where it starts with anything else. Blanks, opening
 * parentheses, empty statements and comments are passed over.
 */
export function firstWord(sql: string): string {
  let at: number | undefined = 0
  for (;;) {
    passedOver.lastIndex = at
    if (passedOver.test(sql)) at = passedOver.lastIndex
    if (!sql.startsWith('/*', at)) break
    at = endOfComment(sql, at)
    if (at === undefined) return ''
  }
  word.lastIndex = at
  return word.exec(sql)?.[0].toLowerCase() ?? ''
}

const queries = new Set(['select', 'insert', 'update', 'delete', 'merge', 'with', 'values', 'table'])

/**
 * Whether the statement is one that reads or writes rows and nothing else. Such a statement cannot end a transaction
 * or start a COPY: cancelled, it has left nothing behind, and others may be written behind it.
 */
export function isPlainQuery(sql: string): boolean {
  return queries.has(firstWord(sql))
}
