import type { Limits } from './connection/call-limits.ts'
import { checkOptions } from './connection/check-options.ts'
import { withoutReplaced } from './connection/connecting/replaced-options.ts'
import type { Connection } from './connection/connection.ts'
import type { NotificationListener } from './connection/listeners.ts'
import { Queries, type SessionCall } from './connection/queries.ts'
import type { Session } from './connection/session.ts'
import type { Transaction } from './connection/transaction.ts'
import { backgroundClock, type Clock, systemClock } from './deadline.ts'
import { type Duration, parseDuration } from './duration.ts'
import { InterfaceError } from './errors.ts'
import { type Entry, Lending } from './lending.ts'
import { OneShots } from './one-shots.ts'
import { checkPoolOptions, type PoolOptions } from './options.ts'
import { type ListenOptions, PoolListener, type Subscription } from './pool-listener.ts'
import {
  type PoolTransactionOptions,
  planTransaction,
  poolTransactionOptionNames,
  runPlanned,
} from './pool-transaction.ts'
import { PooledConnection } from './pooled-connection.ts'
import {
  type Lease,
  type PoolEvents as PoolingEvents,
  type PoolStats,
  ResourcePool,
  resolvePoolSettings,
} from './pooling/index.ts'
import { SessionConnector } from './session-connector.ts'

export interface AcquireOptions {
  /** How long to wait for a connection. Default: the pool's `acquireTimeout`; 0: no limit. */
  timeout?: Duration | undefined
  /** Aborting ends the wait; the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

const acquireOptionNames = ['timeout', 'signal'] as const satisfies readonly (keyof AcquireOptions)[]

type Told<P> = P extends { connection: Session } ? Omit<P, 'connection'> & { processId: number } : P

/** What a pool tells its listeners; connections are named by their server process. */
export type PoolEvents = { [E in keyof PoolingEvents<Session>]: Told<PoolingEvents<Session>[E]> }

/**
 * A pool of connections to PostgreSQL. `createPool` gives one that is open; one from `new Pool` opens at its
 * first use. Its `fetch`, `execute`, … run one statement by itself on whatever connection is free.
 */
export class Pool extends Queries implements AsyncDisposable {
  /** What was asked for last. */
  #target: { dsn: string | undefined; options: PoolOptions }
  readonly #connector: SessionConnector
  readonly #resources: ResourcePool<Session>
  readonly #lending: Lending
  readonly #listening: PoolListener
  readonly #oneShots: OneShots
  readonly #clock: Clock

  /**
   * @throws InterfaceError naming what is wrong in the DSN or the options. Nothing is opened yet.
   */
  constructor(dsn?: string, options: PoolOptions = {}) {
    super()
    checkPoolOptions(options)
    const settings = resolvePoolSettings(options)
    this.#target = { dsn, options }
    const { detectDeadlocks = false, allowExitOnIdle = false } = options
    const clock = allowExitOnIdle ? backgroundClock : systemClock
    this.#clock = clock
    this.#connector = new SessionConnector(dsn, options, {
      clock,
      hookTimeout: settings.hookTimeout,
      listener: {
        warn: (report) => this.#resources.warn(report.message),
        statementsOutdated: () => this.#forgetStatements(),
        listenerFailed: (error) => this.#resources.warn('a listener of a connection failed', error),
        serverMayBeGone: () => this.#resources.distrust(),
        turnedReadOnly: () => this.#turnedReadOnly(),
      },
    })
    this.#resources = new ResourcePool(this.#connector, settings, { clock, random: Math.random })
    this.#listening = new PoolListener({
      // A subscription is work, also while its connection is away.
      clock: systemClock,
      acquireTimeout: settings.acquireTimeout,
      open: (owner, signal) => this.#connector.open(owner, signal),
      isPermanent: (error) => this.#connector.isPermanent(error),
      isClosing: () => this.isClosing,
      warn: (message, error) => this.#resources.warn(message, error),
    })
    this.#lending = new Lending(this.#resources, clock, {
      notesHolders: detectDeadlocks || settings.leakThreshold > 0,
      detectDeadlocks,
      allowExitOnIdle,
    })
    const { shareOneShots = true, setup, reset } = options
    this.#oneShots = new OneShots(this.#resources, this.#lending, clock, {
      ...settings,
      longestShared:
        shareOneShots && setup === undefined && typeof reset !== 'function' ? this.#connector.longestKept : 0,
    })
  }

  /** Connections that are open: idle or in use. */
  get size(): number {
    return this.#resources.size
  }

  get idleSize(): number {
    return this.#resources.idleSize
  }

  get minSize(): number {
    return this.#resources.minSize
  }

  get maxSize(): number {
    return this.#resources.maxSize
  }

  /** Callers that wait for a connection. */
  get waitingSize(): number {
    return this.#resources.waitingSize
  }

  get isClosing(): boolean {
    return this.#resources.isClosing
  }

  /** Where new connections lead, for logs: without the password. */
  get target(): string {
    return this.#connector.target
  }

  /** Counts of connections by state, of waiters, and totals since the pool was made. */
  stats(): PoolStats {
    return this.#resources.stats()
  }

  /**
   * Opens `minSize` connections: the first alone, so that a wrong password fails once and fast, then the rest.
   *
   * @throws ConnectError, or what the `init` hook threw; nothing stays open then and the pool is closed.
   */
  open(): Promise<void> {
    return this.#lending.during(this.#resources.open())
  }

  /**
   * Lends a connection until its `release()`, or to the end of the scope with `await using`.
   *
   * @throws PoolTimeoutError where none comes free in time, PoolOverloadedError where too many wait already,
   * PoolClosedError once `close()` was called, ConnectError where none can be opened for good, the signal's reason.
   */
  acquire(options?: AcquireOptions): Promise<Connection> {
    try {
      return this.#acquire(options, this.acquire).then((lease) => this.#lend(lease))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Takes a connection back. A second release of it does nothing.
   *
   * @throws InterfaceError where the connection is not of this pool.
   */
  async release(connection: Connection): Promise<void> {
    if (!(connection instanceof PooledConnection && connection.owner === this)) {
      throw new InterfaceError('Pool.release(): the connection is not a member of this pool')
    }
    return connection.release()
  }

  /**
   * Lends a connection for as long as `work` runs. Rejects with what `acquire` or `work` reject with, and with
   * PoolDeadlockError where `detectDeadlocks` asks for it.
   */
  async use<T>(work: (connection: Connection) => Promise<T> | T, options: AcquireOptions = {}): Promise<T> {
    checkWork('use', work)
    return this.#use(work, options, this.use)
  }

  /**
   * Lends a connection and runs `work` in a transaction on it. Rejects with what `acquire` or `work` reject with, and
   * as `Connection.transaction()`.
   */
  async transaction<T>(
    work: (tx: Transaction) => Promise<T> | T,
    options: PoolTransactionOptions & AcquireOptions = {},
  ): Promise<T> {
    checkWork('transaction', work)
    checkOptions(options, [...poolTransactionOptionNames, ...acquireOptionNames])
    const { timeout, signal, ...given } = options
    const plan = planTransaction(given)
    const environment = { clock: this.#clock, random: Math.random, signal }
    const run = (connection: Connection) => runPlanned(connection, work, plan, environment)
    return this.#use(run, { timeout, signal }, this.transaction)
  }

  /** Replaces every connection: idle ones and that of `listen` at once, those in use when they are released. */
  expireConnections(): void {
    this.#resources.expire()
    this.#listening.expire()
  }

  /**
   * Every later connect goes by these; connections that are open stay. A DSN or an option that is not given stays as it
   * was, and what concerns the pool itself (its sizes and limits) is not changed. A DSN that is given takes the place of
   * the older options `host`, `port`, `user`, `password` and `database`, and of those that it says itself (`sslmode`:
   * `ssl`); options of the same call go before it.
   *
   * @throws InterfaceError naming what is wrong; the old ones stay in force then.
   */
  setConnectArgs(dsn?: string, options: PoolOptions = {}): void {
    checkPoolOptions(options)
    const older = this.#target
    const kept = dsn === undefined ? older.options : withoutReplaced(older.options, dsn)
    const target = { dsn: dsn ?? older.dsn, options: { ...kept, ...options } }
    this.#connector.retarget(target.dsn, target.options)
    this.#target = target
  }

  /** No connection is handed out until `resume()`; callers wait. */
  suspend(): void {
    this.#resources.suspend()
  }

  resume(): void {
    this.#resources.resume()
  }

  /** Changes the sizes: more is opened at once where the floor asks for it; what is too much closes when it is idle. */
  resize(size: { minSize?: number; maxSize?: number }): void {
    checkOptions(size, ['minSize', 'maxSize'])
    this.#resources.resize(size)
  }

  /**
   * Calls `listener` for each notification of a channel, until the subscription or the pool is closed. All channels
   * share one connection of their own, which `maxSize` does not count and on which no hook but `connect` runs. Once it
   * is lost, another is opened and the channels are listened to again: notifications sent meanwhile are lost, and
   * `onReconnect` tells so. Resolves when the channel is listened to. What a listener throws becomes a `'warning'`.
   *
   * @throws PoolTimeoutError where that takes longer than `timeout`, PoolClosedError, ConnectError where no connection
   * can be opened for good, PostgresError where the server refuses the channel, the signal's reason.
   */
  listen(channel: string, listener: NotificationListener, options?: ListenOptions): Promise<Subscription> {
    return this.#lending.during(this.#listening.listen(channel, listener, options))
  }

  /**
   * Refuses new callers, serves those who wait, and resolves when every connection is back and closed.
   *
   * @throws PoolTimeoutError naming the holders where that takes longer than `timeout` (default: no limit); the
   * pool is terminated then.
   */
  async close(options: { timeout?: Duration } = {}): Promise<void> {
    checkOptions(options, ['timeout'])
    const timeout = parseDuration('timeout', options.timeout ?? 0)
    const ends = await Promise.allSettled([
      this.#resources.close({ timeout }),
      this.#listening.close(timeout),
    ])
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** Ends everything at once; resolves when no socket and no timer is left. */
  async terminate(): Promise<void> {
    await Promise.all([this.#resources.terminate(), this.#listening.terminate()])
  }

  /** The end of the scope of `await using`: the same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Listens to one kind of event; the returned function stops it. */
  on<E extends keyof PoolEvents>(event: E, listener: (payload: PoolEvents[E]) => unknown): () => void {
    return this.#resources.on(event, (payload) => {
      if (!('connection' in payload)) return listener(payload as PoolEvents[E])
      const { connection, ...rest } = payload
      return listener({ ...rest, processId: connection.processId } as unknown as PoolEvents[E])
    })
  }

  #acquire(options: AcquireOptions | undefined, entry: Entry): Promise<Lease<Session>> {
    this.#oneShots.giveBackIdle()
    if (options === undefined) return this.#lending.acquire({}, entry)
    checkOptions(options, acquireOptionNames)
    const { timeout, signal } = options
    const ms = timeout === undefined ? undefined : parseDuration('timeout', timeout)
    return this.#lending.acquire({ timeout: ms, signal }, entry)
  }

  async #use<T>(
    work: (connection: Connection) => Promise<T> | T,
    options: AcquireOptions,
    entry: Entry,
  ): Promise<T> {
    const lease = await this.#acquire(options, entry)
    const connection = this.#lend(lease)
    try {
      return await this.#lending.hold(lease, connection, () => work(connection))
    } finally {
      await connection.release()
    }
  }

  #lend(lease: Lease<Session>): PooledConnection {
    return new PooledConnection(this, lease, (holder) => this.#lending.acquire({ holder }, this.acquire))
  }

  #forgetStatements(): void {
    for (const session of this.#resources.connections()) session.forgetStatements()
  }

  #turnedReadOnly(): void {
    this.#resources.warn(
      'the server does not take writes any more; its connections are replaced, by ones to a server that does',
    )
    this.expireConnections()
  }

  /** A statement by itself. Its time-out counts the wait for a connection. */
  protected override callSession<T>(
    method: string,
    sql: string,
    { timeout = this.#connector.commandTimeout, signal }: Limits,
    call: SessionCall<T>,
  ): Promise<T> {
    return this.#oneShots.run(method, sql, { timeout, signal }, call)
  }
}

/** @throws InterfaceError where `work` is no function. */
function checkWork(method: string, work: unknown): void {
  if (typeof work !== 'function') throw new InterfaceError(`Pool.${method}(): the work must be a function`)
}

/**
 * A pool with its `minSize` connections open.
 *
 * @throws InterfaceError naming what is wrong in the DSN or the options, before anything is opened; otherwise as
 * `Pool.open()`.
 */
export async function createPool(dsn?: string, options: PoolOptions = {}): Promise<Pool> {
  const pool = new Pool(dsn, options)
  await pool.open()
  return pool
}
