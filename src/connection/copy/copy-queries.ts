import { systemClock } from '../../deadline.ts'
import { InterfaceError, PostgresError, RockpoolError } from '../../errors.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
import { readLimits } from '../call-limits.ts'
import { DescribeCommand } from '../commands/describe-command.ts'
import { malformedValue } from '../commands/prepared-command.ts'
import { QueryCommand, type StatementResult } from '../commands/query-command.ts'
import { type CallOptions, Queries, type SessionCall } from '../queries.ts'
import { quoteIdentifier, readSql, type Sql } from '../sql/sql.ts'
import { interpolate, literalsText, typedLiteral, typeNamesText } from './copy-arguments.ts'
import { asIs, copyIn, isStream } from './copy-in.ts'
import {
  type CopyFromOptions,
  type CopyFromTableOptions,
  type CopyRecordsOptions,
  type CopyToTableOptions,
  checkCopyFromQuery,
  checkCopyRecords,
  copyFromQueryText,
  copyFromTableText,
  copyRecordsText,
  copyToTableText,
  tableName,
} from './copy-options.ts'
import { copyOut } from './copy-out.ts'
import { fitBinary, RecordFormat } from './copy-records.ts'

/**
 * COPY, the way to move many rows ("COPY", sql-copy): the same on a connection and a transaction. Each call resolves
 * with the command tag, `'COPY 3'`, and holds no more than some 200 KB, and the longest row, however slow the other
 * side is. All rows arrive or none.
 *
 * Beside what every call rejects with, they reject with what the source or the output failed with. The connection is
 * usable afterwards. A stream belongs to the call: it is destroyed where the call fails, unless it was refused for its
 * arguments. `timeout` and `signal` end the COPY on the server.
 */
export abstract class CopyQueries extends Queries {
  /** @throws InterfaceError where the session is another's by now: a call must not go on with its next statement. */
  protected abstract checkUsable(method: string): void

  /** Before anything that cannot be done again elsewhere: until the session is known to be as new. `undefined`: it is. */
  protected settled(): Promise<void> | undefined {
    return undefined
  }

  /** Copies a table, or some of its columns, to `output`. */
  async copyFromTable(table: string, options: CopyFromTableOptions): Promise<string> {
    const sql = copyFromTableText(table, options)
    return owning(options.output, this.#copyOut('copyFromTable', sql, options))
  }

  /**
   * Copies the rows of a query to `output`. As COPY takes no parameters, `$1`, `$2` … are replaced by literals that
   * the server makes of the arguments, so that no argument can become SQL.
   */
  async copyFromQuery(
    query: Sql,
    args: readonly unknown[] | undefined,
    options: CopyFromOptions,
  ): Promise<string> {
    const statement = readSql('copyFromQuery', query, args)
    checkCopyFromQuery(options)
    const copied = this.#copyFromQuery(
      statement.text,
      statement.args,
      options,
      remaining('copyFromQuery', options),
    )
    return owning(options.output, copied)
  }

  /** Copies what `source` gives into a table. */
  async copyToTable(table: string, options: CopyToTableOptions): Promise<string> {
    const sql = copyToTableText(table, options)
    const copied = this.#call('copyToTable', sql, options, (session, limits) =>
      copyIn<unknown>(session, sql, options.source, asIs, limits),
    )
    return owning(options.source, copied)
  }

  /**
   * Copies records into a table, encoded for the types of its columns. Rejects with DataError naming the record's
   * index (also as `index`) and the column where a value does not fit. With no `columns`, all but generated ones.
   */
  async copyRecordsToTable(table: string, options: CopyRecordsOptions): Promise<string> {
    checkCopyRecords(table, options)
    return owning(
      options.records,
      this.#copyRecords(table, options, remaining('copyRecordsToTable', options)),
    )
  }

  async #copyRecords(table: string, options: CopyRecordsOptions, left: () => CallOptions): Promise<string> {
    const name = tableName(table, options.schema)
    const columns = options.columns ?? (await this.#columnNames(name, left))
    const { fields } = await this.#describe(
      'copyRecordsToTable',
      columnsText(name, columns),
      left,
      columns.length,
    )
    return this.#call('copyRecordsToTable', name, left(), async (session, limits) => {
      const typeOids = fields.map(({ typeOid }) => typeOid)
      await beforehand(session.learnTypes(typeOids, limits))
      const codecs = session.types.codecs(typeOids)
      const recordColumns = columns.map((name, i) => ({ name, codec: codecs[i]! }))
      const isBinary = await fitBinary(recordColumns, options.records)
      this.checkUsable('copyRecordsToTable')
      const format = new RecordFormat(recordColumns, isBinary)
      const sql = copyRecordsText(name, columns, format.format, options.where)
      try {
        return await copyIn<unknown>(session, sql, options.records, format, limits)
      } catch (error) {
        const isMalformed = error instanceof PostgresError && error.sqlState === malformedValue
        if (isMalformed && codecs.some((codec) => codec.mayChange)) session.types.outdated(false)
        throw error
      }
    })
  }

  async #copyFromQuery(
    query: string,
    args: readonly unknown[],
    options: CopyFromOptions,
    left: () => CallOptions,
  ): Promise<string> {
    const text = args.length === 0 ? query : await this.#withLiterals(query, args, left)
    return this.#copyOut('copyFromQuery', copyFromQueryText(text, options), { ...options, ...left() })
  }

  #copyOut(method: string, sql: string, options: CopyFromOptions): Promise<string> {
    return this.#call(method, sql, options, (session, limits) =>
      copyOut(session, sql, options.output, limits),
    )
  }

  async #withLiterals(query: string, args: readonly unknown[], left: () => CallOptions): Promise<string> {
    const { parameterTypes } = await this.#describe('copyFromQuery', query, left)
    if (parameterTypes.length !== args.length) {
      throw new InterfaceError(
        `copyFromQuery(): the query takes ${parameterTypes.length} arguments, and ${args.length} were given`,
        { outcome: 'not-sent' },
      )
    }
    const typeNames = await this.#ask('copyFromQuery', typeNamesText, [parameterTypes], left, (rows) =>
      texts(firsts(rows), args.length),
    )
    const literals = await this.#ask('copyFromQuery', literalsText(typeNames), args, left, ([row]) =>
      texts(row ?? [], args.length),
    )
    return this.#call('copyFromQuery', query, left(), async (session) =>
      interpolate(
        query,
        literals.map((literal, i) => typedLiteral(literal, typeNames[i]!)),
        session.parameters.get('standard_conforming_strings') !== 'off',
      ),
    )
  }

  #columnNames(name: string, left: () => CallOptions): Promise<string[]> {
    return this.#ask('copyRecordsToTable', columnNamesText, [name], left, (rows) =>
      texts(firsts(rows), rows.length),
    )
  }

  /** Asks what this library wants to know. Where `read` finds that it is no answer, the connection is closed. */
  #ask<T>(
    method: string,
    sql: string,
    args: readonly unknown[],
    left: () => CallOptions,
    read: (rows: readonly unknown[][]) => T,
  ): Promise<T> {
    const finish = ({ rows }: StatementResult) => read(rows as unknown[][])
    const asked = this.#call(method, sql, left(), (session, limits) =>
      session.run(new QueryCommand(session, sql, args, { rowMode: 'array', limit: 0 }, finish), limits),
    )
    return beforehand(asked)
  }

  #describe(method: string, sql: string, left: () => CallOptions, columns?: number) {
    const asked = this.#call(method, sql, left(), (session, limits) =>
      session.runUncounted(new DescribeCommand(session, sql, columns), limits),
    )
    return beforehand(asked)
  }

  #call<T>(method: string, sql: string, options: CallOptions, call: SessionCall<T>): Promise<T> {
    const { timeout, signal } = options
    const limits = readLimits(method, { timeout, signal })
    const settled = this.settled()
    if (settled === undefined) return this.callSession(method, sql, limits, call)
    return settled.then(() => this.callSession(method, sql, limits, call))
  }
}

/** Whatever became of a question that goes before a COPY, the COPY itself was not sent. */
async function beforehand<T>(question: Promise<T>): Promise<T> {
  try {
    return await question
  } catch (error) {
    const isTold =
      error instanceof RockpoolError && (error.outcome === 'executed' || error.outcome === 'unknown')
    if (isTold) Object.assign(error, { outcome: 'not-sent' })
    throw error
  }
}

/** A stream that was given to a call is destroyed where the call fails, also where the COPY was never sent. */
async function owning<T>(given: object, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    if (isStream(given)) given.destroy()
    throw error
  }
}

const firsts = (rows: readonly unknown[][]): unknown[] => rows.map(([first]) => first)

/** @throws ConnectionLostError where `values` are not so many texts */
function texts(values: readonly unknown[], count: number): string[] {
  const found = values.filter((value) => typeof value === 'string')
  if (values.length === count && found.length === count) return found
  throw brokenProtocol('a question about columns was answered by something else')
}

/** COPY fills these where none are named. */
const columnNamesText = `select attname from pg_catalog.pg_attribute
  where attrelid = $1::pg_catalog.text::pg_catalog.regclass and attnum > 0 and not attisdropped and attgenerated = ''
  order by attnum`

/** A statement whose columns are these; it is described only. */
function columnsText(name: string, columns: readonly string[]): string {
  return `SELECT ${columns.map(quoteIdentifier).join(', ')} FROM ${name}`
}

/** What is left of a call's time for its next statement. Without a time of its own, each has the default. */
function remaining(method: string, { timeout, signal }: CallOptions): () => CallOptions {
  const { timeout: limit } = readLimits(method, { timeout, signal })
  const started = systemClock.now()
  return () => ({
    ...(limit !== undefined && {
      timeout: limit === 0 ? 0 : Math.max(1, limit - (systemClock.now() - started)),
    }),
    ...(signal !== undefined && { signal }),
  })
}
