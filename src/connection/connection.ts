import { InterfaceError } from '../errors.ts'
import { readLimits } from './call-limits.ts'
import {
  checkListener,
  type LogListener,
  type NotificationListener,
  type TerminationListener,
} from './listeners.ts'
import type { CallOptions, SessionCall } from './queries.ts'
import { readServerVersion, type ServerVersion } from './server-version.ts'
import type { Session } from './session.ts'
import { SessionQueries } from './session-queries.ts'
import { runTransaction, type Transaction, type TransactionOptions } from './transaction.ts'

/** Where a connection goes when its user is done with it: `connect()`'s is closed, a pool's goes back. */
export interface ConnectionHome {
  release(connection: Connection): Promise<void>
}

/**
 * A connection in the hands of one user: from `connect()`, or lent by a pool until it is released. Two calls
 * at once are answered in their order.
 */
export class Connection extends SessionQueries implements AsyncDisposable {
  protected readonly kind = 'Connection'
  readonly #home: ConnectionHome
  #transaction = false

  /** Made by `connect()` and by pools. */
  constructor(session: Session, home: ConnectionHome) {
    super(session)
    this.#home = home
  }

  /** The server process that serves this connection, as in `pg_stat_activity.pid`. */
  get processId(): number {
    return this.session.processId
  }

  /** Whether the connection cannot be used any more: closed, lost, or released. */
  get isClosed(): boolean {
    return this.hasEnded || this.session.isClosed
  }

  /** Whether the last answer left the session inside a transaction. */
  get isInTransaction(): boolean {
    return !this.session.isResetting && this.session.transactionStatus !== 'I'
  }

  get serverVersion(): ServerVersion {
    return readServerVersion(this.session.parameters.get('server_version') ?? '')
  }

  /** The settings that the server reports, as they are now: `server_version`, `TimeZone`, `DateStyle`, … */
  get settings(): Readonly<Record<string, string>> {
    return Object.freeze(Object.fromEntries(this.session.parameters))
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
      const settled = this.settled()
      if (settled !== undefined) await settled
      return await runTransaction(this.session, this, work, options)
    } finally {
      this.#transaction = false
    }
  }

  /**
   * Calls `listener` for each notification of a channel ("LISTEN", sql-listen), as long as this object is in use: a
   * pool removes it at the release, with a warning. Inside a transaction it begins at the COMMIT. Added twice, a
   * listener is called once. What it throws becomes the pool's `'warning'`, or a warning of the process.
   */
  async addListener(channel: string, listener: NotificationListener, options?: CallOptions): Promise<void> {
    checkListener('addListener', listener)
    await this.#call('addListener', options, (session, limits) =>
      session.listeners.listen(session, channel, listener, limits),
    )
  }

  /** Ends what `addListener` began; does nothing where it did not. */
  async removeListener(
    channel: string,
    listener: NotificationListener,
    options?: CallOptions,
  ): Promise<void> {
    await this.#call('removeListener', options, (session, limits) =>
      session.listeners.unlisten(session, channel, listener, limits),
    )
  }

  /** Calls `listener` for each notice or warning of the server, as long as this object is in use. */
  addLogListener(listener: LogListener): void {
    this.checkUsable('addLogListener')
    checkListener('addLogListener', listener)
    this.session.listeners.logs.add(listener)
  }

  removeLogListener(listener: LogListener): void {
    this.checkUsable('removeLogListener')
    this.session.listeners.logs.delete(listener)
  }

  /** Calls `listener` when the connection is gone: closed, terminated or lost. A release to a pool removes it. */
  addTerminationListener(listener: TerminationListener): void {
    this.checkUsable('addTerminationListener')
    checkListener('addTerminationListener', listener)
    this.session.listeners.terminations.add(listener)
  }

  removeTerminationListener(listener: TerminationListener): void {
    this.checkUsable('removeTerminationListener')
    this.session.listeners.terminations.delete(listener)
  }

  #call<T>(method: string, options: CallOptions | undefined, call: SessionCall<T>): Promise<T> {
    return this.callSession(method, '', readLimits(method, options), call)
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
    if (this.hasEnded) return
    this.end('connection is closed')
    await this.session.close()
    await this.#home.release(this)
  }

  /** Closes the connection at once. What is running rejects with ConnectionLostError, and its cancel is tried. */
  async terminate(): Promise<void> {
    if (this.hasEnded) return
    this.end('connection is closed')
    await this.session.terminate('the connection was terminated by its user')
    await this.#home.release(this)
  }
}
