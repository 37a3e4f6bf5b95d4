import { InterfaceError } from '../errors.ts'
import { Queries, type SessionCall } from './queries.ts'
import type { Session } from './session.ts'
import {
  runTransaction,
  type Transaction,
  type TransactionOptions,
  type TransactionScope,
} from './transaction.ts'

/** Where a connection goes when its user is done with it: `connect()`'s is closed, a pool's goes back. */
export interface ConnectionHome {
  release(connection: Connection): Promise<void>
}

/**
 * A connection in the hands of one user: from `connect()`, or lent by a pool until it is released. Two calls
 * at once are answered in their order.
 */
export class Connection extends Queries implements AsyncDisposable, TransactionScope {
  readonly #session: Session
  readonly #home: ConnectionHome
  #ended: string | undefined
  #transaction = false

  /** Made by `connect()` and by pools. */
  constructor(session: Session, home: ConnectionHome) {
    super()
    this.#session = session
    this.#home = home
  }

  /** The server process that serves this connection, as in `pg_stat_activity.pid`. */
  get processId(): number {
    return this.#session.processId
  }

  /** Whether the connection cannot be used any more: closed, lost, or released. */
  get isClosed(): boolean {
    return this.#ended !== undefined || this.#session.isClosed
  }

  /** Whether the last answer left the session inside a transaction. */
  get isInTransaction(): boolean {
    return this.#session.transactionStatus !== 'I'
  }

  /**
   * Runs `work` in a transaction: BEGIN, then COMMIT when `work` resolves, or ROLLBACK when it rejects, with
   * its error. `tx` has the connection's calls; its own `transaction()` makes a savepoint.
   *
   * @throws InterfaceError where a transaction is open already, and where the server rolled back at COMMIT because
   * a statement had failed and `work` went on (`outcome: 'failed'`).
   */
  async transaction<T>(
    work: (tx: Transaction) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<T> {
    this.checkUsable('transaction')
    if (this.#transaction || this.isInTransaction) {
      throw new InterfaceError(
        'Connection.transaction(): a transaction is open on this connection already; ' +
          'use tx.transaction() for one inside it, or another connection for one beside it',
        { outcome: 'not-sent' },
      )
    }
    this.#transaction = true
    try {
      return await runTransaction(this.#session, this, work, options)
    } finally {
      this.#transaction = false
    }
  }

  /** Gives a pool's connection back; closes one from `connect()`. A second call does nothing. */
  release(): Promise<void> {
    return this.#home.release(this)
  }

  /** The end of the scope of `await using`: the same as `release()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  /**
   * Lets what is running end, then closes the connection for good; a pool opens another one in its place.
   * Resolves when the server has closed its side.
   */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    this.end('connection is closed')
    await this.#session.close()
    await this.#home.release(this)
  }

  /** Closes the connection at once. What is running rejects with ConnectionLostError, and its cancel is tried. */
  async terminate(): Promise<void> {
    if (this.#ended !== undefined) return
    this.end('connection is closed')
    await this.#session.terminate('the connection was terminated by its user')
    await this.#home.release(this)
  }

  /** Ends the use of this object: every later call rejects, telling `why`. The session lives on. */
  end(why: string): void {
    this.#ended ??= why
  }

  checkUsable(method: string, kind = 'Connection'): void {
    if (this.#ended !== undefined) {
      throw new InterfaceError(`cannot call ${kind}.${method}(): ${this.#ended}`, { outcome: 'not-sent' })
    }
  }

  protected override async callSession<T>(
    method: string,
    _sql: string,
    limits: { timeout: number | undefined; signal: AbortSignal | undefined },
    call: SessionCall<T>,
  ): Promise<T> {
    this.checkUsable(method)
    return call(this.#session, this.#session.limits(limits.timeout, limits.signal))
  }
}
