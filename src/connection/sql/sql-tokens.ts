/** What stands for a token whose own text does not matter: a quoted name, a string, a parameter such as $1. */
export const quotedName = '"'
export const stringConstant = "'"
export const parameter = '$'

/**
 * One piece of SQL ("Lexical Structure", sql-syntax-lexical): blank, comment to the end of the line, the start of a
 * comment in slashes, escape string, other string, quoted name, dollar quote, parameter, word, digits, anything else.
 * Characters beyond ASCII are letters, blanks of Unicode among them.
 */
const piece =
  /([ \t\n\r\f\v]+|--[^\r\n]*)|(\/\*)|(e'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*')|((?:[bxn]|u&)?'[^']*(?:''[^']*)*')|((?:u&)?"[^"]*(?:""[^"]*)*")|(\$(?:[a-z_\u0080-\uffff][a-z0-9_\u0080-\uffff]*)?\$)|(\$\d+)|(\d+)|([a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*)|([^'"])/iy

/**
 * The tokens of `sql`: words in lower case (of ASCII), `quotedName`, `stringConstant`, `parameter`, and every other
 * character by itself. Comments and numbers are left out. `undefined` where the text cannot be read with certainty:
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
    const [, , comment, escapeString, string, name, dollarQuote, argument, , word, symbol] = match
    if (comment !== undefined) {
      const end = endOfComment(sql, match.index)
      if (end === undefined) return undefined
      at = end
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
    } else if (argument !== undefined) {
      tokens.push(parameter)
    } else if (symbol !== undefined) {
      tokens.push(symbol)
    }
  }
  return tokens
}

/**
 * Where the comment in slashes that starts at `start` has ended; `undefined`: nowhere. Such comments nest ("Comments",
 * sql-syntax-lexical).
 */
export function endOfComment(sql: string, start: number): number | undefined {
  const edge = /\/\*|\*\//g
  edge.lastIndex = start
  let depth = 0
  do {
    const match = edge.exec(sql)
    if (match === null) return undefined
    depth += match[0] === '/*' ? 1 : -1
  } while (depth > 0)
  return edge.lastIndex
}
