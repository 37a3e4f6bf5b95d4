const blank = /(?:[\s(]+|--[^\n]*)+/y
const word = /[a-z]+/iy
const edgeOfComment = /\/\*|\*\//g

/**
 * The first word of a statement, in lower case; empty where it starts with anything else. Blanks, opening
 * parentheses and comments, which nest, are passed over ("Comments", sql-syntax-lexical).
 */
export function firstWord(sql: string): string {
  let at = 0
  for (;;) {
    blank.lastIndex = at
    if (blank.test(sql)) at = blank.lastIndex
    if (!sql.startsWith('/*', at)) break
    at = endOfComment(sql, at)
  }
  word.lastIndex = at
  return word.exec(sql)?.[0].toLowerCase() ?? ''
}

function endOfComment(sql: string, start: number): number {
  edgeOfComment.lastIndex = start
  let depth = 0
  do {
    const edge = edgeOfComment.exec(sql)
    if (edge === null) return sql.length
    depth += edge[0] === '/*' ? 1 : -1
  } while (depth > 0)
  return edgeOfComment.lastIndex
}

const queries = new Set(['select', 'insert', 'update', 'delete', 'merge', 'with', 'values', 'table'])

/**
 * Whether the statement is one that reads or writes rows and nothing else. Such a statement cannot end a transaction
 * or start a COPY: cancelled, it has left nothing behind, and others may be written behind it.
 */
export function isPlainQuery(sql: string): boolean {
  return queries.has(firstWord(sql))
}
