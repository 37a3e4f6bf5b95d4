/** What stands for a token whose own text does not matter: a quoted name, a string. */
export const quotedName = '"'
export const stringConstant = "'"

/**
 * One piece of SQL ("Lexical Structure", sql-syntax-lexical): blank, comment to the end of the line, the start of a
 * comment in slashes, escape string, other string, quoted name, dollar quote, parameter, word, digits, anything else.
 * Characters beyond ASCII are letters, blanks of Unicode among them.
 */
const piece =
  /([ \t\n\r\f\v]+|--[^\r\n]*)|(\/\*)|(e'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*')|((?:[bxn]|u&)?'[^']*(?:''[^']*)*')|((?:u&)?"[^"]*(?:""[^"]*)*")|(\$(?:[a-z_\u0080-\uffff][a-z0-9_\u0080-\uffff]*)?\$)|(\$\d+|\d+)|([a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*)|([^'"])/iy

/**
 * The tokens of `sql`: words in lower case (of ASCII), `quotedName`, `stringConstant`, and every other character by
 * itself. Comments, numbers and parameters are left out. `undefined` where the text cannot be read with certainty:
 * something does not end, or a backslash in a plain string, whose meaning depends on standard_conforming_strings.
 */
export function sqlTokens(sql: string): string[] | undefined {
  const tokens: string[] = []
  let at = 0
  while (at < sql.length) {
    piece.lastIndex = at
    const match = piece.exec(sql)
    if (match === null) return undefined
    at = piece.lastIndex
    const [, , comment, escapeString, string, name, dollarQuote, , word, symbol] = match
    if (comment !== undefined) {
      at = endOfComment(sql, at)
    } else if (dollarQuote !== undefined) {
      at = sql.indexOf(dollarQuote, at) + dollarQuote.length
      if (at < match.index + 2 * dollarQuote.length) return undefined
      tokens.push(stringConstant)
    } else if (word !== undefined) {
      tokens.push(word.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase()))
    } else if (escapeString !== undefined) {
      tokens.push(stringConstant)
    } else if (string !== undefined) {
      if (string.includes('\\')) return undefined
      tokens.push(stringConstant)
    } else if (name !== undefined) {
      tokens.push(quotedName)
    } else if (symbol !== undefined) {
      tokens.push(symbol)
    }
    if (at < 0) return undefined
  }
  return tokens
}

/** Such comments nest. -1: it does not end. */
function endOfComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = start
  for (let depth = 1; depth > 0; ) {
    const match = edge.exec(sql)
    if (match === null) return -1
    depth += match[0] === '/*' ? 1 : -1
  }
  return edge.lastIndex
}
