import { InterfaceError } from '../../errors.ts'

/** A statement with its arguments, as `sql` tags make them. */
export interface SqlObject {
  text: string
  values?: readonly unknown[]
}

/** Wherever SQL is taken. Arguments stand as `$1`, `$2`, … in the text. */
export type Sql = string | SqlObject

const none: readonly unknown[] = []

/** @throws InterfaceError naming `call` where the statement or its arguments are not what they should be. */
export function readSql(
  call: string,
  sql: Sql,
  args: readonly unknown[] | undefined,
): { text: string; args: readonly unknown[] } {
  if (typeof sql === 'string') {
    return { text: sql, args: checkArguments(call, args) }
  }
  if (typeof sql !== 'object' || sql === null || typeof sql.text !== 'string') {
    throw misuse(call, `the statement must be a string or a { text, values } object, not ${kind(sql)}`)
  }
  if (checkArguments(call, args).length > 0) {
    throw misuse(call, 'a { text, values } object has its own values; do not pass arguments beside it')
  }
  if (sql.values !== undefined && !Array.isArray(sql.values)) {
    throw misuse(call, `values must be an array, not ${kind(sql.values)}`)
  }
  return { text: sql.text, args: sql.values ?? none }
}

/**
 * The text of a statement whose arguments are given elsewhere.
 *
 * @throws InterfaceError naming `call`, and where they belong, if they come with it.
 */
export function readText(call: string, sql: Sql, elsewhere: string): string {
  const { text, args } = readSql(call, sql, undefined)
  if (args.length > 0)
    throw misuse(call, `the statement comes without values here; give them to ${elsewhere}`)
  return text
}

/** @throws InterfaceError naming `call` where the arguments are no array. */
export function checkArguments(call: string, args: readonly unknown[] | undefined): readonly unknown[] {
  if (args === undefined) return none
  if (Array.isArray(args)) return args
  throw misuse(call, `the arguments must be an array, as in [a, b], not ${kind(args)}`)
}

/** @throws InterfaceError naming the index of what is no array. */
export function readArgumentLists(argLists: Iterable<readonly unknown[]>): (readonly unknown[])[] {
  if (typeof argLists?.[Symbol.iterator] !== 'function') {
    throw misuse('executeMany', 'the arguments must be an iterable of arrays, as in [[1, "a"], [2, "b"]]')
  }
  const lists = [...argLists]
  for (let index = 0; index < lists.length; index++) {
    if (!Array.isArray(lists[index])) {
      throw misuse('executeMany', `the arguments at index ${index} are not an array`)
    }
  }
  return lists
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function misuse(call: string, what: string): InterfaceError {
  return new InterfaceError(`${call}(): ${what}`, { outcome: 'not-sent' })
}

function kind(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
}
