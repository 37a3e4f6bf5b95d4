/**
 * COPY takes no parameters, so the arguments of its query become literals in its text, quoted by the server. What
 * stands in strings, quoted names, comments and dollar quotes is no parameter, and stays.
 */

/**
 * The lexemes of SQL in which `$1` is not what it seems, and `$1` itself ("Lexical Structure", sql-syntax-lexical).
 * Names come first: a `$` within one belongs to it. Where standard_conforming_strings is off, every string has
 * backslash escapes.
 */
function lexemes(standardStrings: boolean): RegExp {
  const escaped = String.raw`'(?:[^'\\]|''|\\[^])*'?`
  const parts = [
    String.raw`(?<![\w$\u0080-\uffff])[eE]${escaped}`,
    String.raw`[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*`,
    standardStrings ? `'(?:[^']|'')*'?` : escaped,
    '"(?:[^"]|"")*"?',
    '--[^\\n\\r]*',
    String.raw`\$(?<tag>(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[^]*?(?:\$\k<tag>\$|$)`,
    String.raw`\$(?<parameter>\d+)`,
    String.raw`(?<comment>/\*)`,
  ]
  return new RegExp(parts.join('|'), 'g')
}

/** `sql` with `literals[n - 1]` in the place of each `$n`. */
export function interpolate(sql: string, literals: readonly string[], standardStrings: boolean): string {
  const pattern = lexemes(standardStrings)
  let result = ''
  let copied = 0
  for (let match = pattern.exec(sql); match !== null; match = pattern.exec(sql)) {
    const { parameter, comment } = match.groups!
    if (comment !== undefined) pattern.lastIndex = commentEnd(sql, pattern.lastIndex)
    if (parameter === undefined) continue
    result += sql.slice(copied, match.index) + (literals[Number(parameter) - 1] ?? match[0])
    copied = pattern.lastIndex
  }
  return result + sql.slice(copied)
}

/** Where the comment whose opening ends at `at` ends: comments nest. */
function commentEnd(sql: string, at: number): number {
  const marks = /\/\*|\*\//g
  marks.lastIndex = at
  let depth = 1
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return sql.length
}

/** The names of types, by OID, as they are written in a cast: that of bit(n) must not become bit(1). */
export const typeNamesText =
  'select pg_catalog.format_type(oid, -1) from pg_catalog.unnest($1::pg_catalog.oid[]) with ordinality as types(oid, place) order by place'

/** Gives each argument as a literal. */
export function literalsText(typeNames: readonly string[]): string {
  const columns = typeNames.map(
    (name, i) => `pg_catalog.quote_nullable(($${i + 1}::${name})::pg_catalog.text)`,
  )
  return `select ${columns.join(', ')}`
}

/** The literal in parentheses, so that what follows it in the query binds to all of it. */
export function typedLiteral(literal: string, typeName: string): string {
  return `(${literal}::${typeName})`
}
