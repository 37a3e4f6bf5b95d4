import type { Duration } from '../duration.ts'
import { InterfaceError } from '../errors.ts'
import type { RowMode } from '../wire/row-reader.ts'
import { type Limits, readLimits } from './call-limits.ts'
import { ManyCommand } from './commands/many-command.ts'
import { QueryCommand, type StatementResult } from './commands/query-command.ts'
import { SimpleCommand } from './commands/simple-command.ts'
import { allRows, commandTag, firstRow, firstValue, wholeResult } from './results.ts'
import type { CallLimits, Session } from './session.ts'
import { readArgumentLists, readSql, readText, type Sql } from './sql/sql.ts'

/** A row: the values by column name. Of two columns of one name the last wins; `rowMode: 'array'` gives all. */
export type Row = Record<string, unknown>

export interface CallOptions {
  /** Milliseconds, or a number with its unit; default: the connection's `commandTimeout`; 0: no limit. */
  timeout?: Duration
  /** Aborting cancels the statement on the server; the call rejects with the signal's reason. */
  signal?: AbortSignal
}

export interface QueryOptions extends CallOptions {
  /** `'object'` (default): rows by column name; `'array'`: rows as arrays, in the order of the columns. */
  rowMode?: RowMode
}

/** A column of a result. */
export interface Field {
  name: string
  /** The OID of its type in `pg_type`. */
  typeOid: number
  /** The OID of the table that it comes from; 0: of none. */
  tableOid: number
}

export interface QueryResult<R = Row> {
  rows: R[]
  fields: Field[]
  /** The number of rows that the command tag tells; `null` where the tag has none. */
  rowCount: number | null
  /** The command tag's word: `'INSERT'`, `'SELECT'`, `'CREATE TABLE'`. */
  command: string
}

/** What is asked of a session, once it is known which one: by a connection, a transaction or the pool. */
export type SessionCall<T> = (session: Session, limits: CallLimits) => Promise<T>

/**
 * The calls that run a statement, the same on a connection, a transaction and a pool. None throws: each rejects.
 *
 * They reject with PostgresError (the server's report), DataError (a value that does not fit its type),
 * QueryTimeoutError, ConnectionLostError, InterfaceError (misuse), or the reason of an aborted signal; a pool's
 * also with what `acquire` rejects with.
 */
export abstract class Queries {
  /** Runs `call` on this object's session, bounded by the caller's options. What it throws is a rejection. */
  protected abstract callSession<T>(
    method: string,
    sql: string,
    limits: Limits,
    call: SessionCall<T>,
  ): Promise<T>

  /** All rows. */
  fetch<R = Row>(sql: Sql, args?: readonly unknown[], options?: QueryOptions): Promise<R[]> {
    return this.#query('fetch', sql, args, options, options?.rowMode, 0, allRows) as Promise<R[]>
  }

  /** The first row, or `null` where there is none. The server is asked for one row only. */
  fetchRow<R = Row>(sql: Sql, args?: readonly unknown[], options?: QueryOptions): Promise<R | null> {
    return this.#query('fetchRow', sql, args, options, options?.rowMode, 1, firstRow) as Promise<R | null>
  }

  /** The first column of the first row, or `null` where there is none. */
  fetchVal<V = unknown>(sql: Sql, args?: readonly unknown[], options?: CallOptions): Promise<V | null> {
    return this.#query('fetchVal', sql, args, options, 'array', 1, firstValue) as Promise<V | null>
  }

  /** All rows with what is known of them. */
  query<R = Row>(sql: Sql, args?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>> {
    const result = this.#query('query', sql, args, options, options?.rowMode, 0, wholeResult)
    return result as Promise<QueryResult<R>>
  }

  /**
   * Runs a statement and gives its command tag: `'INSERT 0 1'`. Without arguments the text may hold several
   * statements, separated by `;`: they are one transaction, and the tag is the last one's.
   */
  execute(sql: Sql, args?: readonly unknown[], options?: CallOptions): Promise<string> {
    try {
      const statement = readSql('execute', sql, args)
      return this.#call('execute', statement.text, options, (session, limits) =>
        statement.args.length === 0
          ? session.run(new SimpleCommand(session, statement.text), limits)
          : session.run(
              new QueryCommand(session, statement.text, statement.args, tagOnly, commandTag),
              limits,
            ),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Runs a statement once for each list of arguments. All of them take effect or none does; the error's `index`
   * tells which list failed.
   */
  async executeMany(sql: Sql, argLists: Iterable<readonly unknown[]>, options?: CallOptions): Promise<void> {
    const text = readText('executeMany', sql, 'the lists')
    const lists = readArgumentLists(argLists)
    return this.#call('executeMany', text, options, (session, limits) =>
      session.run(new ManyCommand(session, text, lists), limits),
    )
  }

  /** No `async`: what a call costs is counted in its promises. */
  #query<T>(
    method: string,
    sql: Sql,
    args: readonly unknown[] | undefined,
    options: QueryOptions | undefined,
    rowMode: RowMode | undefined,
    limit: number,
    finish: (result: StatementResult) => T,
  ): Promise<T> {
    try {
      const statement = readSql(method, sql, args)
      const shape = { rowMode: checkRowMode(method, rowMode), limit }
      return this.#call(method, statement.text, options, (session, limits) =>
        session.run(new QueryCommand(session, statement.text, statement.args, shape, finish), limits),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #call<T>(method: string, sql: string, options: CallOptions | undefined, call: SessionCall<T>): Promise<T> {
    return this.callSession(method, sql, readLimits(method, options, ['rowMode']), call)
  }
}

const tagOnly = { rowMode: 'array', limit: 0 } as const

/** @throws InterfaceError naming `method` where there is no such mode. */
export function checkRowMode(method: string, rowMode: RowMode = 'object'): RowMode {
  if (rowMode === 'object' || rowMode === 'array') return rowMode
  throw new InterfaceError(`${method}(): rowMode must be 'object' or 'array'`, { outcome: 'not-sent' })
}
