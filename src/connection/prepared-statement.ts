import { InterfaceError } from '../errors.ts'
import { readLimits } from './call-limits.ts'
import { ManyCommand } from './commands/many-command.ts'
import { QueryCommand, type StatementResult } from './commands/query-command.ts'
import { runUndone } from './commands/undone.ts'
import { Cursor, type CursorOptions } from './cursor.ts'
import { type CallOptions, checkRowMode, type QueryOptions, type QueryResult, type Row } from './queries.ts'
import { allRows, commandTag, firstRow, firstValue, wholeResult } from './results.ts'
import type { CallLimits, Session } from './session.ts'
import { checkArguments, readArgumentLists } from './sql/sql.ts'
import type { PinnedStatement } from './statements/pinned-statement.ts'
import type { Statement } from './statements/statement.ts'
import type { TransactionScope } from './transaction.ts'

/** A type, by its OID in `pg_type`. */
export interface TypeName {
  oid: number
  name: string
}

/** A column of a prepared statement. */
export interface Attribute {
  name: string
  type: TypeName
}

/**
 * A statement that stays prepared for as long as its connection, or its transaction, is its user's. It has the
 * calls of a connection, without the text. One that DDL has outdated is prepared again, unseen outside transactions.
 *
 * With `statementCacheSize: 0` nothing stays on the server: it is prepared for each call.
 */
export class PreparedStatement implements AsyncDisposable {
  readonly sql: string
  readonly #session: Session
  readonly #scope: TransactionScope
  readonly #pinned: PinnedStatement
  readonly #letGo: () => void
  /** As the server described it last. */
  #statement: Statement
  #statusMessage: string | null = null
  #closed = false

  /** Made by `prepare()`. */
  constructor(
    session: Session,
    scope: TransactionScope,
    place: { pinned: PinnedStatement; letGo: () => void },
    statement: Statement,
  ) {
    this.sql = statement.sql
    this.#session = session
    this.#scope = scope
    this.#pinned = place.pinned
    this.#letGo = place.letGo
    this.#statement = statement
  }

  /** Its name on the server; empty with `statementCacheSize: 0`. */
  get name(): string {
    return this.#pinned.name
  }

  /** The types of `$1`, `$2`, … */
  get parameters(): TypeName[] {
    return this.#statement.parameterTypes.map((oid) => this.#typeName(oid))
  }

  /** The columns of its rows; none where it gives no rows. */
  get attributes(): Attribute[] {
    return this.#statement.fields.map(({ name, typeOid }) => ({ name, type: this.#typeName(typeOid) }))
  }

  /** The command tag of its last run, `'SELECT 3'`; `null` before the first, and where rows were left. */
  get statusMessage(): string | null {
    return this.#statusMessage
  }

  /** All rows. */
  fetch<R = Row>(args?: readonly unknown[], options?: QueryOptions): Promise<R[]> {
    return this.#query('fetch', args, options, 0, allRows) as Promise<R[]>
  }

  /** The first row, or `null` where there is none. */
  fetchRow<R = Row>(args?: readonly unknown[], options?: QueryOptions): Promise<R | null> {
    return this.#query('fetchRow', args, options, 1, firstRow) as Promise<R | null>
  }

  /** The first column of the first row, or `null` where there is none. */
  fetchVal<V = unknown>(args?: readonly unknown[], options?: CallOptions): Promise<V | null> {
    const asArrays = { ...options, rowMode: 'array' } as const
    return this.#query('fetchVal', args, asArrays, 1, firstValue) as Promise<V | null>
  }

  /** All rows with what is known of them. */
  query<R = Row>(args?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>> {
    return this.#query('query', args, options, 0, wholeResult) as Promise<QueryResult<R>>
  }

  /** Runs it, and gives the command tag: `'INSERT 0 1'`. */
  execute(args?: readonly unknown[], options?: CallOptions): Promise<string> {
    return this.#query('execute', args, options, 0, commandTag)
  }

  /** Runs it once for each list of arguments; all of them take effect or none does. */
  async executeMany(argLists: Iterable<readonly unknown[]>, options?: CallOptions): Promise<void> {
    const session = this.#use('executeMany')
    const lists = readArgumentLists(argLists)
    const limits = this.#limits('executeMany', options)
    return session.run(new ManyCommand(session, this.sql, lists, this.#pinned), limits)
  }

  /** Its rows as they are wanted, inside a transaction. */
  cursor<R = Row>(args: readonly unknown[] = [], options?: CursorOptions): Cursor<R> {
    const query = () => {
      this.#use('cursor')
      return { sql: this.sql, args: checkArguments('cursor', args), store: this.#pinned }
    }
    return new Cursor<R>(this.#session, this.#scope, query, options)
  }

  /**
   * The plan, as EXPLAIN (FORMAT JSON, VERBOSE) tells it. `analyze`: the statement is run, too, and what it did is
   * rolled back.
   */
  async explain(args?: readonly unknown[], options?: CallOptions & { analyze?: boolean }): Promise<unknown> {
    const session = this.#use('explain')
    const limits = this.#limits('explain', options, ['analyze'])
    const analyze = options?.analyze ?? false
    const sql = `EXPLAIN (FORMAT JSON, VERBOSE${analyze ? ', ANALYZE' : ''}) ${this.sql}`
    const shape = { rowMode: 'array', limit: 0 } as const
    const explained = checkArguments('explain', args)
    return analyze
      ? runUndone(session, { sql, args: explained, finish: firstValue }, limits)
      : session.run(new QueryCommand(session, sql, explained, shape, firstValue), limits)
  }

  /** Closes it on the server with the next message that is written. Later calls reject; a second close does nothing. */
  async close(): Promise<void> {
    this.#closed = true
    this.#letGo()
  }

  /** The end of the scope of `await using`: the same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #query<T>(
    method: string,
    args: readonly unknown[] | undefined,
    options: QueryOptions | undefined,
    limit: number,
    finish: (result: StatementResult) => T,
  ): Promise<T> {
    const session = this.#use(method)
    const shape = { rowMode: checkRowMode(method, options?.rowMode), limit }
    const noted = (result: StatementResult) => {
      this.#statement = result.statement
      this.#statusMessage = result.isComplete ? result.tag : null
      return finish(result)
    }
    const execution = { store: this.#pinned, portal: '' }
    const limits = this.#limits(method, options, ['rowMode'])
    const given = checkArguments(method, args)
    return session.run(new QueryCommand(session, this.sql, given, shape, noted, execution), limits)
  }

  #limits(method: string, options: CallOptions | undefined, others?: readonly string[]): CallLimits {
    const { timeout, signal } = readLimits(method, options, others)
    return this.#session.limits(timeout, signal)
  }

  #use(method: string): Session {
    this.#scope.checkUsable(method, 'PreparedStatement')
    if (this.#closed) {
      throw new InterfaceError(`cannot call PreparedStatement.${method}(): the statement is closed`, {
        outcome: 'not-sent',
      })
    }
    return this.#session
  }

  #typeName(oid: number): TypeName {
    return { oid, name: this.#session.types.codec(oid).name }
  }
}
