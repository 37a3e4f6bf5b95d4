import { InterfaceError } from '../errors.ts'
import { type Limits, readLimits } from './call-limits.ts'
import { PrepareCommand } from './commands/prepare-command.ts'
import { CopyQueries } from './copy/copy-queries.ts'
import { Cursor, type CursorOptions } from './cursor.ts'
import { PreparedStatement } from './prepared-statement.ts'
import type { CallOptions, Row, SessionCall } from './queries.ts'
import type { Session } from './session.ts'
import { readSql, readText, type Sql } from './sql/sql.ts'
import type { PinnedStatement } from './statements/pinned-statement.ts'
import type { TransactionScope } from './transaction.ts'

/** The calls of what has a session to itself until it ends: a connection, a transaction. */
export abstract class SessionQueries extends CopyQueries implements TransactionScope {
  protected session: Session
  #pinned: Set<PinnedStatement> | undefined
  #ended: string | undefined
  /** How errors name it. */
  protected abstract readonly kind: string

  constructor(session: Session) {
    super()
    this.session = session
  }

  /**
   * Prepares a statement, to be run as often as one likes: it stays on the server until it is closed, or this object
   * ends. Repeated statements are kept without it, too (`statementCacheSize`); this one tells its types and its plan.
   */
  async prepare(sql: Sql, options?: CallOptions): Promise<PreparedStatement> {
    this.checkUsable('prepare')
    const settled = this.settled()
    if (settled !== undefined) await settled
    const { session } = this
    const text = readText('prepare', sql, 'the calls of the prepared statement')
    const { timeout, signal } = readLimits('prepare', options)
    const pinned = session.cache.pin()
    this.#pinned ??= new Set()
    this.#pinned.add(pinned)
    const letGo = () => {
      this.#pinned?.delete(pinned)
      session.cache.unpin(pinned)
    }
    try {
      const command = new PrepareCommand(session, text, pinned)
      const statement = await session.run(command, session.limits(timeout, signal))
      return new PreparedStatement(session, this, { pinned, letGo }, statement)
    } catch (error) {
      letGo()
      throw error
    }
  }

  /**
   * The rows of a query as they are wanted, inside a transaction: `for await (const row of tx.cursor(sql, args))`,
   * or with its `fetch`, `fetchRow` and `forward`. What is wrong with it, its first call tells.
   */
  cursor<R = Row>(sql: Sql, args?: readonly unknown[], options?: CursorOptions): Cursor<R> {
    const query = () => {
      const statement = readSql('cursor', sql, args)
      return { sql: statement.text, args: statement.args, store: this.session.cache }
    }
    return new Cursor<R>(this.session, this, query, options)
  }

  /** Ends the use of this object: every later call rejects, telling `why`. The session lives on. */
  end(why: string): void {
    this.#ended ??= why
    for (const pinned of this.#pinned ?? []) this.session.cache.unpin(pinned)
    this.#pinned = undefined
  }

  protected get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  override checkUsable(method: string, kind = this.kind): void {
    if (this.#ended === undefined) return
    throw new InterfaceError(`cannot call ${kind}.${method}(): ${this.#ended}`, { outcome: 'not-sent' })
  }

  protected override callSession<T>(
    method: string,
    _sql: string,
    limits: Limits,
    call: SessionCall<T>,
  ): Promise<T> {
    this.checkUsable(method)
    return call(this.session, this.session.limits(limits.timeout, limits.signal))
  }
}
