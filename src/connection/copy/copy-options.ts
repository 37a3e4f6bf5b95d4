import { InterfaceError } from '../../errors.ts'
import { checkOptions } from '../check-options.ts'
import type { CallOptions } from '../queries.ts'
import { quoteIdentifier } from '../sql/sql.ts'
import type { CopySource } from './copy-in.ts'
import type { CopyOutput } from './copy-out.ts'

/** How the data looks. See COPY (sql-copy) in PostgreSQL's documentation; what is not given is the server's default. */
export interface CopyFormatOptions {
  /** Default `'text'`. */
  format?: 'text' | 'csv' | 'binary'
  /** One character between columns. Default a tab; in csv a comma. */
  delimiter?: string
  /** What stands for NULL. Default `\N`; in csv the empty string, unquoted. */
  null?: string
  /** Whether the first line has the columns' names; `'match'`, of copyToTable: and is checked. Default false. */
  header?: boolean | 'match'
  /** csv: default `"`. */
  quote?: string
  /** csv: what goes before a quote within a value. Default: the same as `quote`. */
  escape?: string
  /** The bytes are in UTF-8, whatever the server's encoding; another is refused. */
  encoding?: string
}

export interface CopyFromOptions extends CopyFormatOptions, CallOptions {
  /**
   * While it has not taken a chunk nothing is read, so that a connection that is lost meanwhile is noticed only when it
   * goes on; a `timeout` ends the wait.
   */
  output: CopyOutput
  /** csv: the columns whose values are always quoted, or `'*'`. Default: none. */
  forceQuote?: readonly string[] | '*'
}

interface TableOptions {
  /** Default: all. */
  columns?: readonly string[]
  /** Default: found by `search_path`. */
  schema?: string
}

export interface CopyFromTableOptions extends CopyFromOptions, TableOptions {}

/** Which rows are taken: a condition in SQL, as behind COPY's WHERE; it is sent as it is. Default: all. */
interface WhereOption {
  where?: string
}

export interface CopyToTableOptions extends CopyFormatOptions, TableOptions, WhereOption, CallOptions {
  source: CopySource
  /** Default false. */
  freeze?: boolean
  /** csv: the columns in which the `null` string, unquoted, is that string. Default: none. */
  forceNotNull?: readonly string[]
  /** csv: the columns in which the `null` string is NULL even where it is quoted. Default: none. */
  forceNull?: readonly string[]
}

export interface CopyRecordsOptions extends TableOptions, WhereOption, CallOptions {
  /** One array a record: its values in the order of the columns. */
  records: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>
}

const callNames = ['timeout', 'signal']
const tableNames = ['columns', 'schema']
const formatNames = ['format', 'delimiter', 'null', 'header', 'quote', 'escape', 'encoding']

/** COPY (table) TO STDOUT. @throws InterfaceError naming the option that is not what it should be. */
export function copyFromTableText(table: string, options: CopyFromTableOptions): string {
  checkNames('copyFromTable', options, ['output', 'forceQuote', ...tableNames, ...formatNames, ...callNames])
  checkOutput('copyFromTable', options.output)
  return `COPY ${target('copyFromTable', table, options)} TO STDOUT${formatText('copyFromTable', options)}`
}

/** COPY (query) TO STDOUT. @throws InterfaceError naming the option that is not what it should be. */
export function copyFromQueryText(query: string, options: CopyFromOptions): string {
  return `COPY (${query}\n) TO STDOUT${formatText('copyFromQuery', options)}`
}

export function checkCopyFromQuery(options: CopyFromOptions): void {
  checkNames('copyFromQuery', options, ['output', 'forceQuote', ...formatNames, ...callNames])
  checkOutput('copyFromQuery', options.output)
  formatText('copyFromQuery', options)
}

/** COPY table FROM STDIN. @throws InterfaceError naming the option that is not what it should be. */
export function copyToTableText(table: string, options: CopyToTableOptions): string {
  checkNames('copyToTable', options, [
    ...['source', 'where', 'freeze', 'forceNotNull', 'forceNull'],
    ...[...tableNames, ...formatNames, ...callNames],
  ])
  checkSource('copyToTable', 'source', options.source)
  const from = `COPY ${target('copyToTable', table, options)} FROM STDIN`
  return from + formatText('copyToTable', options) + whereText('copyToTable', options.where)
}

export function checkCopyRecords(table: string, options: CopyRecordsOptions): void {
  checkNames('copyRecordsToTable', options, ['records', 'where', ...tableNames, ...callNames])
  checkSource('copyRecordsToTable', 'records', options.records)
  target('copyRecordsToTable', table, options)
  whereText('copyRecordsToTable', options.where)
}

/** COPY table FROM STDIN for records, all of whose columns are named. */
export function copyRecordsText(
  name: string,
  columns: readonly string[],
  format: 'binary' | 'text',
  where: string | undefined,
): string {
  const list = columns.map(quoteIdentifier).join(', ')
  return `COPY ${name} (${list}) FROM STDIN (FORMAT ${format})${whereText('copyRecordsToTable', where)}`
}

/** The table's name in SQL. */
export function tableName(table: string, schema: string | undefined): string {
  return schema === undefined
    ? quoteIdentifier(table)
    : `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
}

function target(call: string, table: string, { columns, schema }: TableOptions): string {
  if (typeof table !== 'string') throw misuse(call, 'the table must be its name, a string')
  if (schema !== undefined && typeof schema !== 'string') throw misuse(call, 'schema must be a string')
  const name = tableName(table, schema)
  return columns === undefined ? name : `${name} ${columnList(call, 'columns', columns)}`
}

function columnList(call: string, option: string, columns: readonly string[]): string {
  if (!Array.isArray(columns) || columns.length === 0 || columns.some((name) => typeof name !== 'string')) {
    throw misuse(call, `${option} must be an array of the columns' names, at least one`)
  }
  return `(${columns.map(quoteIdentifier).join(', ')})`
}

type TextOptions = CopyFormatOptions &
  Pick<CopyFromOptions, 'forceQuote'> &
  Pick<CopyToTableOptions, 'freeze' | 'forceNotNull' | 'forceNull'>

function formatText(call: string, options: TextOptions): string {
  const { format, header, encoding, freeze, forceQuote } = options
  const parts: string[] = []
  if (format !== undefined) {
    if (!['text', 'csv', 'binary'].includes(format))
      throw misuse(call, "format must be 'text', 'csv' or 'binary'")
    parts.push(`FORMAT ${format}`)
  }
  for (const name of ['delimiter', 'null', 'quote', 'escape'] as const) {
    const value = options[name]
    if (value === undefined) continue
    if (typeof value !== 'string') throw misuse(call, `${name} must be a string`)
    parts.push(`${name.toUpperCase()} ${quoteLiteral(value)}`)
  }
  if (header !== undefined) {
    if (header !== 'match' && typeof header !== 'boolean')
      throw misuse(call, "header must be true, false or 'match'")
    parts.push(`HEADER ${header}`)
  }
  if (freeze !== undefined) {
    if (typeof freeze !== 'boolean') throw misuse(call, 'freeze must be true or false')
    parts.push(`FREEZE ${freeze}`)
  }
  if (encoding !== undefined && !/^utf-?8$/i.test(String(encoding))) {
    throw misuse(
      call,
      `encoding: the data is UTF-8 here, not ${JSON.stringify(encoding)}; convert the stream`,
    )
  }
  if (forceQuote === '*') parts.push('FORCE_QUOTE *')
  else if (forceQuote !== undefined) parts.push(`FORCE_QUOTE ${columnList(call, 'forceQuote', forceQuote)}`)
  for (const [option, keyword] of [
    ['forceNotNull', 'FORCE_NOT_NULL'],
    ['forceNull', 'FORCE_NULL'],
  ] as const) {
    const columns = options[option]
    if (columns !== undefined) parts.push(`${keyword} ${columnList(call, option, columns)}`)
  }
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

function whereText(call: string, where: string | undefined): string {
  if (where === undefined) return ''
  if (typeof where !== 'string') throw misuse(call, 'where must be a condition in SQL, a string')
  return ` WHERE ${where}`
}

/** Right whatever standard_conforming_strings is: E'' always reads backslashes, and they are doubled. */
function quoteLiteral(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

function checkNames(call: string, options: object, known: readonly string[]): void {
  try {
    checkOptions(options, known)
  } catch (error) {
    throw misuse(call, (error as InterfaceError).message)
  }
}

function checkOutput(call: string, output: unknown): void {
  const isStream = typeof output === 'object' && output !== null && 'write' in output && 'end' in output
  if (typeof output !== 'function' && !isStream) {
    throw misuse(call, 'output must be a Writable, or a function that takes each chunk')
  }
}

/** A string is iterable, but was hardly meant to be taken letter by letter. */
function checkSource(call: string, option: string, source: unknown): void {
  if (typeof source === 'string' || ArrayBuffer.isView(source)) {
    throw misuse(
      call,
      `${option} must be a Readable or an iterable; for a file pass createReadStream(path), for data [data]`,
    )
  }
  const isIterable =
    typeof source === 'object' &&
    source !== null &&
    (Symbol.asyncIterator in source || Symbol.iterator in source)
  if (!isIterable) throw misuse(call, `${option} must be a Readable, an async iterable or an iterable`)
}

function misuse(call: string, what: string): InterfaceError {
  return new InterfaceError(`${call}(): ${what}`, { outcome: 'not-sent' })
}
