import { type Clock, onAbort, withDeadline } from '../deadline.ts'
import { formatDuration } from '../duration.ts'
import { ConnectionLostError, PostgresError, type RockpoolError } from '../errors.ts'
import { type CancelTarget, sendCancel } from '../wire/cancel.ts'
import { type TypeConfiguration, TypeRegistry } from '../wire/codecs/index.ts'
import { Pipeline } from '../wire/pipeline.ts'
import type { RowShapes } from '../wire/row-shape.ts'
import type { EstablishedSession } from '../wire/startup.ts'
import { Cancellation } from './cancellation.ts'
import type { Command, CommandWatcher, GiveUpReason } from './commands/command.ts'
import type { PreparedCommandHost } from './commands/prepared-command.ts'
import { TypeQuestion } from './commands/type-question.ts'
import { Expiry } from './expiry.ts'
import { Listeners } from './listeners.ts'
import { ReportedSettings, type StartReports } from './reported-settings.ts'
import { ResetStatements } from './reset/reset-statements.ts'
import { StatementCache, type StatementCacheSettings } from './statements/statement-cache.ts'
import { timedOut } from './timed-out.ts'

export interface SessionSettings {
  /** The default time-out of a command, in milliseconds; 0: none. */
  commandTimeout: number
  /** How long a cancelled statement may take to end before the connection is closed, in milliseconds; 0: no limit. */
  cancelTimeout: number
  /** How long the server may take to close its side before the socket is destroyed, in milliseconds; 0: no limit. */
  closeTimeout: number
  statementCache: StatementCacheSettings
  types: TypeConfiguration
  shapes: RowShapes
  startReports: StartReports
  clock: Clock
}

/** How one call wants to be bounded. */
export interface CallLimits {
  timeout: number
  signal: AbortSignal | undefined
  /** Hears how the command ended, or that it was not begun. */
  watcher?: CommandWatcher
}

/** For commands of the library's own that something else bounds. */
export const noLimits: CallLimits = { timeout: 0, signal: undefined }

/** What a session tells its owner. */
export interface SessionOwner {
  /** `hasFailedReset`: it was closed because it could not be reset. */
  lost(error: ConnectionLostError, hasFailedReset: boolean): void
  /** A listener that a user added failed. */
  listenerFailed?(error: unknown): void
  /** A prepared statement did not fit any more: those of other sessions of the same database may not either. */
  statementsOutdated?(): void
  /** A user's command is about to run; `undefined` where it has no one text. */
  runs?(sql: string | undefined): void
  /** A command failed by the server's or the library's word. */
  statementFailed?(error: RockpoolError): void
}

/**
 * One connection to a server, whoever uses it at the moment: its commands with their deadlines, cancellation,
 * the statement cache, and what the server reports about itself.
 */
export class Session implements PreparedCommandHost {
  readonly processId: number
  readonly cache: StatementCache
  readonly types: TypeRegistry
  readonly shapes: RowShapes
  readonly listeners = new Listeners((error) => this.#owner.listenerFailed?.(error))
  readonly resetStatements = new ResetStatements()
  readonly #settings: SessionSettings
  readonly #cancelTarget: CancelTarget
  readonly #pipeline: Pipeline
  readonly #cancellation: Cancellation
  readonly #expiry: Expiry
  #owner: SessionOwner
  #commands = 0
  #commits = 0
  /** `#commands` when the session was last as new. */
  #cleanAt = 0
  #portals = 0
  #keepsProcess = true
  readonly #reported: ReportedSettings
  /** Until it has succeeded. */
  #reset: Command<void> | undefined
  #hasFailedReset = false
  #isUnfit = false
  #failedBy: RockpoolError | undefined
  #ending = false

  constructor(established: EstablishedSession, settings: SessionSettings, owner: SessionOwner) {
    const { address, tls, processId, secretKey } = established
    this.processId = processId
    this.#cancelTarget = { address, tls, processId, secretKey }
    this.#reported = new ReportedSettings(settings.startReports.share(established.parameters))
    this.shapes = settings.shapes
    this.types = new TypeRegistry(settings.types, (certain) => {
      this.forgetStatements()
      if (certain) this.statementsOutdated()
    })
    this.cache = new StatementCache(settings.statementCache, () => settings.clock.now())
    this.#settings = settings
    this.#owner = owner
    this.#pipeline = new Pipeline(established.socket, established.rest, established.transactionStatus, {
      notice: (report) => {
        if (!this.isResetting) this.listeners.notice(report)
      },
      parameter: (name, value) => this.#parameterChanged(name, value),
      notification: (pid, channel, payload) => this.listeners.notification(pid, channel, payload),
      closed: (reason) => this.#closed(reason),
    })
    const { cancelTimeout, clock } = settings
    this.#cancellation = new Cancellation(this.#pipeline, this.#cancelTarget, cancelTimeout, clock)
    this.#expiry = new Expiry(this.#pipeline, clock, (command) => this.#expired(command))
  }

  /** Commands run so far; the pool replaces a connection that has run `maxQueries`. */
  get commands(): number {
    return this.#commands
  }

  /** Whether no user's command has run since the session was new, or was reset. */
  get isClean(): boolean {
    return this.#commands === this.#cleanAt
  }

  markClean(): void {
    this.#cleanAt = this.#commands
  }

  /** Whether it keeps prepared statements; else what is prepared goes with the next Sync, as a bouncer may stand between. */
  get keepsStatements(): boolean {
    return this.#settings.statementCache.size > 0
  }

  /** The server's reported settings (ParameterStatus), those of the last owner apart: server_version, TimeZone, … */
  get parameters(): ReadonlyMap<string, string> {
    return this.isResetting ? this.#reported.asNew : this.#reported.current
  }

  /** Whether a reset that was sent ahead has not succeeded yet. */
  get isResetting(): boolean {
    return this.#reset !== undefined
  }

  /** Resolves when the reset that was sent ahead has ended, well or not. */
  async whenReset(): Promise<void> {
    await this.#reset?.promise.catch(() => {})
  }

  /** Whether the connection broke before its reset had succeeded: what is said not to be sent has not met its state. */
  get isUnfit(): boolean {
    return this.#isUnfit
  }

  /** Has an idle session reset before whatever is asked of it next; after `limit` milliseconds (0: none) it has failed. */
  resetAhead(reset: Command<void>, limit: number): void {
    if (limit > 0) {
      reset.timeout = limit
      reset.deadline = this.#settings.clock.now() + limit
      this.#expiry.watch(reset.deadline)
    }
    reset.onFinished = () => {
      if (!this.#keepsProcess && this.isIdle) this.#expiry.stop()
    }
    // Who is concerned hears of the failure by the loss of the connection.
    reset.promise.catch(() => {})
    this.#reset = reset
    this.#pipeline.submit(reset)
  }

  resetSucceeded(): void {
    this.#reset = undefined
    this.#reported.restored()
  }

  /** The connection is closed: it cannot be given to anyone. */
  resetFailed(reason: ConnectionLostError): void {
    this.#hasFailedReset = true
    this.#pipeline.destroy(reason)
  }

  get transactionStatus(): 'I' | 'T' | 'E' {
    return this.#pipeline.transactionStatus
  }

  /** Grows with each end of a transaction, COMMIT AND CHAIN included, which the status does not show. */
  get transactionsEnded(): number {
    return this.#pipeline.timesOutside + this.#commits
  }

  get isClosed(): boolean {
    return this.#ending || this.#pipeline.isClosed
  }

  /** Resolves when the socket is closed. */
  get whenClosed(): Promise<void> {
    return this.#pipeline.whenClosed
  }

  get isIdle(): boolean {
    return this.#pipeline.isIdle
  }

  /** The caller's limits, with the session's default where the caller has none. */
  limits(timeout?: number, signal?: AbortSignal): CallLimits {
    return { timeout: timeout ?? this.#settings.commandTimeout, signal }
  }

  /** Runs a user's command. */
  run<T>(command: Command<T>, limits: CallLimits): Promise<T> {
    this.#commands++
    this.#owner.runs?.(command.text)
    return this.runUncounted(command, limits)
  }

  /**
   * Runs a command that is neither withdrawn nor cancelled, so that what comes behind it can rely on it: a ROLLBACK.
   * The wait for it ends with the command time-out.
   */
  runAnyway<T>(command: Command<T>): Promise<T> {
    const { commandTimeout, clock } = this.#settings
    return withDeadline(clock, commandTimeout, this.run(command, { timeout: 0, signal: undefined }), () =>
      timedOut(commandTimeout, 'unknown'),
    )
  }

  /** `work`, which goes before a command that is not sent yet, for as long as the command's caller waits. */
  async before<T>(work: Promise<T>, { timeout, signal }: CallLimits): Promise<T> {
    let unlisten: (() => void) | undefined
    const aborted = new Promise<never>((_, reject) => {
      if (signal?.aborted) reject(signal.reason)
      else unlisten = onAbort(signal, reject)
    })
    try {
      const either = Promise.race([work, aborted])
      return await withDeadline(this.#settings.clock, timeout, either, () => timedOut(timeout, 'not-sent'))
    } finally {
      unlisten?.()
    }
  }

  /** Runs a command of the library's own, which does not count for `maxQueries`. */
  runUncounted<T>(command: Command<T>, limits: CallLimits): Promise<T> {
    const { timeout, signal } = limits
    if (signal?.aborted) {
      limits.watcher?.failed(signal.reason)
      return Promise.reject(signal.reason)
    }
    command.watcher = limits.watcher
    command.cancellable = timeout > 0 || signal !== undefined
    if (timeout > 0) {
      command.timeout = timeout
      command.deadline = this.#settings.clock.now() + timeout
      if (!this.#pipeline.isClosed) this.#expiry.watch(command.deadline)
    }
    if (signal !== undefined) {
      command.onSettled = onAbort(signal, (reason) => this.#giveUp(command as Command<unknown>, () => reason))
    }
    this.#pipeline.submit(command)
    return command.promise
  }

  /**
   * Ends what is going on: commands that are not written reject, those that are get cancelled. Resolves when
   * the server is ready or the connection is gone.
   */
  abandonAll(reason: GiveUpReason): Promise<void> {
    for (const request of [...this.#pipeline.requests()].reverse()) {
      if (!request.isPrelude) this.#giveUp(request as Command<unknown>, reason)
    }
    return this.#pipeline.whenIdle()
  }

  /**
   * Says goodbye and resolves when the server has closed the socket, or when it has not within `closeTimeout`.
   * Commands in flight are answered first.
   */
  async close(): Promise<void> {
    const { closeTimeout, clock } = this.#settings
    this.#ending = true
    await this.#pipeline.whenIdle()
    this.#pipeline.end()
    const timer =
      closeTimeout === 0
        ? undefined
        : clock.setTimer(closeTimeout, () => {
            const waited = formatDuration(closeTimeout)
            this.#pipeline.destroy(
              new ConnectionLostError(`the server did not close within ${waited} (closeTimeout)`),
            )
          })
    await this.#pipeline.whenClosed
    timer?.cancel()
  }

  /** Closes at once, asking the server to cancel what it runs; resolves when socket and timers are gone. */
  async terminate(reason: string): Promise<void> {
    this.#ending = true
    const busy = !this.#pipeline.isIdle && !this.#pipeline.isClosed
    const cancelled = busy
      ? sendCancel(this.#cancelTarget, this.#settings.cancelTimeout, this.#settings.clock)
      : undefined
    this.#pipeline.destroy(new ConnectionLostError(reason))
    await cancelled
    await this.#pipeline.whenClosed
  }

  askTypes(asker: Command<unknown>, oids: readonly number[], failed: (reason: unknown) => void): void {
    const question = new TypeQuestion(this, this.types, oids, failed)
    asker.errand = question as Command<unknown>
    question.cancellable = asker.cancellable
    this.#pipeline.submitNext(question)
  }

  /** Asks the server for those of the types that are not known yet; afterwards their codecs are. */
  async learnTypes(oids: readonly number[], limits: CallLimits): Promise<void> {
    const unknown = this.types.unknown(oids)
    if (unknown.length > 0) await this.runUncounted(new TypeQuestion(this, this.types, unknown), limits)
  }

  cancelHead(command: Command<unknown>): void {
    this.#cancellation.cancel(command)
  }

  takeCancel(): boolean {
    return this.#cancellation.take()
  }

  /** Every statement is prepared again at its next use, and types that are not PostgreSQL's own are asked for again. */
  forgetStatements(): void {
    this.cache.clear()
    this.types.forget()
  }

  /** A name for a portal that no other of this session has. */
  newPortalName(): string {
    return `rockpool_portal_${++this.#portals}`
  }

  /** Whether the connection, while it is open, keeps the process alive; not: neither does a time-out that is over. */
  keepProcess(keeps: boolean): void {
    this.#keepsProcess = keeps
    this.#pipeline.keepProcess(keeps)
    if (!keeps && this.isIdle) this.#expiry.stop()
  }

  /** From now on `owner` is told what happens. */
  adopt(owner: SessionOwner): void {
    this.#owner = owner
  }

  statementFailed(by: RockpoolError): void {
    this.#owner.statementFailed?.(by)
  }

  statementsOutdated(): void {
    this.#owner.statementsOutdated?.()
  }

  commandEnded(tag: string): void {
    if (tag === 'COMMIT') this.#commits++
    if (tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL') {
      this.forgetStatements()
      this.resetStatements.forget()
    }
  }

  /** What made the last failed transaction fail. */
  get failedBy(): RockpoolError | undefined {
    return this.#failedBy
  }

  /** Statements behind the first failure fail because of it (25P02): it is the one to tell. */
  transactionFailed(by: RockpoolError): void {
    if (!(by instanceof PostgresError && by.sqlState === '25P02')) this.#failedBy = by
  }

  #expired(command: Command<unknown>): void {
    if (command.isPrelude) {
      const limit = formatDuration(command.timeout)
      this.resetFailed(
        new ConnectionLostError(`the reset of the connection did not end within ${limit} (hookTimeout)`),
      )
    } else {
      this.#giveUp(command, (outcome) => timedOut(command.timeout, outcome, beingPrepared(command)))
    }
  }

  #giveUp(command: Command<unknown>, reason: GiveUpReason): void {
    if (!command.isPending) return
    if (!command.isWritten) this.#pipeline.withdraw(command)
    command.giveUp(reason, this.#pipeline.head === command)
    if (command.errand !== undefined) this.#giveUp(command.errand, reason)
  }

  /** Everything is read and written as UTF-8: a session that leaves it cannot be understood. */
  #parameterChanged(name: string, value: string): void {
    this.#reported.changed(name, value)
    if (name === 'client_encoding' && !utf8.has(value)) {
      this.#pipeline.destroy(
        new ConnectionLostError(
          `client_encoding was changed to ${value}; only UTF8 can be used, leave it alone`,
        ),
      )
    }
  }

  #closed(reason: ConnectionLostError | undefined): void {
    this.#expiry.stop()
    this.#cancellation.end()
    if (!this.#ending) {
      this.#isUnfit = this.isResetting
      this.#owner.lost(reason ?? new ConnectionLostError('the connection is closed'), this.#hasFailedReset)
    }
    this.#ending = true
    // Who has one that is unfit gets another unseen.
    if (!this.#isUnfit) this.listeners.terminated()
  }
}

/** UNICODE is UTF8's old name. */
const utf8 = new Set(['UTF8', 'UNICODE'])

/** Of a command that was not run: whether the server was at it all the same, or at its types. */
function beingPrepared(command: Command<unknown>): boolean {
  return command.isWritten || command.errand !== undefined
}
