import { SimpleColumn, SimpleCommand } from './connection/commands/simple-command.ts'
import { openSession, pick, takeOver } from './connection/connect.ts'
import {
  type ConnectOptions,
  connectOptionNames,
  describeTarget,
  type ResolvedConnectOptions,
  resolveConnectOptions,
} from './connection/connecting/connect-options.ts'
import { resetReleased } from './connection/reset/reset.ts'
import { everyPart, noPart } from './connection/reset/session-parts.ts'
import { noLimits, type Session, type SessionOwner, type SessionSettings } from './connection/session.ts'
import {
  resolveSessionOptions,
  type SessionOptions,
  sessionOptionNames,
} from './connection/session-options.ts'
import type { Clock } from './deadline.ts'
import { ConnectError, ConnectionLostError, type PostgresReport } from './errors.ts'
import { bounded, type ConnectionHook, lend } from './hooks.ts'
import type { ConnectHook, PoolHooks, PoolOptions } from './options.ts'
import { PoolMember } from './pool-member.ts'
import type { Connector, Lost } from './pooling/index.ts'

/** Nothing that the session's users can have set counts. */
const isReadOnly = `select pg_catalog.pg_is_in_recovery() or exists
  (select from pg_catalog.pg_settings where name = 'default_transaction_read_only' and reset_val = 'on')`

/** What a connector tells its pool. */
export interface ConnectorListener {
  warn(report: PostgresReport): void
  /** A prepared statement did not fit any more: those of the other sessions may not either. */
  statementsOutdated(): void
  /** A listener that a user added to a connection failed. */
  listenerFailed(error: unknown): void
  /** A session died, where another server may have to take its server's place. */
  serverMayBeGone(): void
  /** A server that was to take writes does not any more: its sessions are of no use. */
  turnedReadOnly(): void
}

/** Where to connect, as the user said it. */
interface Target {
  dsn: string | undefined
  options: ConnectOptions & SessionOptions
  resolved: ResolvedConnectOptions
  settings: SessionSettings
}

/** What makes the generic pool one of PostgreSQL sessions. */
export class SessionConnector implements Connector<Session> {
  readonly prepare?: (session: Session) => Promise<void>
  readonly rest?: (session: Session, isIdle: boolean) => void
  readonly #hooks: PoolHooks
  readonly #hookTimeout: number
  readonly #clock: Clock
  readonly #listener: ConnectorListener
  readonly #members = new WeakMap<Session, PoolMember>()
  #target: Target

  /** @throws InterfaceError naming what is wrong in the DSN or the options. */
  constructor(
    dsn: string | undefined,
    options: PoolOptions,
    environment: { clock: Clock; hookTimeout: number; listener: ConnectorListener },
  ) {
    this.#clock = environment.clock
    this.#hookTimeout = environment.hookTimeout
    this.#listener = environment.listener
    const { connect, init, setup, reset = 'always' } = options
    this.#hooks = { connect, init, setup, reset }
    this.#target = this.#resolve(dsn, options)
    if (options.allowExitOnIdle) this.rest = (session, isIdle) => session.keepProcess(!isIdle)
    if (setup !== undefined) this.prepare = (session) => lend(session, 'setup', setup)
  }

  /** Where connections lead, without the password. */
  get target(): string {
    return describeTarget(this.#target.resolved)
  }

  /** The time-out of a command whose caller names none, in milliseconds; 0: none. */
  get commandTimeout(): number {
    return this.#target.settings.commandTimeout
  }

  /** The longest statement that a connection keeps prepared, in characters. */
  get longestKept(): number {
    const { size, largest } = this.#target.settings.statementCache
    if (size === 0) return 0
    return largest === 0 ? Number.POSITIVE_INFINITY : largest
  }

  /** Every later connect goes there. */
  retarget(dsn: string | undefined, options: PoolOptions): void {
    this.#target = this.#resolve(dsn, options)
  }

  async connect(lost: Lost, signal: AbortSignal): Promise<Session> {
    const { connect, init, reset } = this.#hooks
    const member = new PoolMember(
      {
        lost: (error, hasFailedReset) => this.#lost(error, hasFailedReset, lost),
        statementsOutdated: this.#listener.statementsOutdated,
        listenerFailed: this.#listener.listenerFailed,
      },
      reset === 'auto',
    )
    const session = await this.open(member, signal)
    // What ran on a connection of the hook's before is not known.
    if (connect !== undefined) member.touched = everyPart
    this.#members.set(session, member)
    if (init === undefined) return session
    try {
      await this.#bounded('init', lend(session, 'init', init), signal)
    } catch (error) {
      await session.terminate('its init hook failed')
      throw error
    }
    return session
  }

  /** A session on which no hook but `connect` has run. */
  open(owner: SessionOwner, signal: AbortSignal): Promise<Session> {
    const { resolved, settings } = this.#target
    const { connect } = this.#hooks
    return connect === undefined
      ? openSession(resolved, settings, owner, signal)
      : this.#connectByHook(connect, owner, signal)
  }

  isPermanent(error: unknown): boolean {
    if (error instanceof ConnectError) return error.permanent
    return !(error instanceof ConnectionLostError)
  }

  async check(session: Session): Promise<void> {
    await session.runUncounted(new SimpleCommand(session, ''), noLimits)
  }

  isEnded(session: Session): boolean {
    return session.isClosed
  }

  reset(session: Session): Promise<void> | undefined {
    const member = this.#members.get(session)!
    this.#dropListeners(session)
    const restored = this.#restore(session, member)
    return member.wasRefusedWrite ? this.#afterRefusedWrite(session, member, restored) : restored
  }

  commands(session: Session): number {
    return session.commands
  }

  close(session: Session): Promise<void> {
    return session.close()
  }

  terminate(session: Session): Promise<void> {
    return session.terminate('the connection was terminated by its pool')
  }

  #resolve(dsn: string | undefined, options: PoolOptions): Target {
    return {
      dsn,
      options: pick(options, [...connectOptionNames, ...sessionOptionNames]),
      resolved: resolveConnectOptions(dsn, pick(options, connectOptionNames)),
      settings: resolveSessionOptions(options, this.#clock),
    }
  }

  /** A connection that comes after the hook's time, or after the abort, is closed. */
  async #connectByHook(connect: ConnectHook, owner: SessionOwner, signal: AbortSignal): Promise<Session> {
    const { dsn, options } = this.#target
    const opening = (async () => connect(dsn, { ...options, signal }))()
    const connection = await this.#bounded('connect', opening, signal).catch((error: unknown) => {
      opening.then((late) => late?.terminate()).catch(() => {})
      throw error
    })
    return takeOver(connection, owner)
  }

  #restore(session: Session, member: PoolMember): Promise<void> | undefined {
    const { reset } = this.#hooks
    const { touched } = member
    member.touched = noPart
    switch (reset) {
      case 'auto':
        return this.#resetParts(session, touched)
      case 'never':
        return this.#resetParts(session, noPart)
      case 'always':
      case undefined:
        return this.#resetParts(session, everyPart)
      default:
        return this.#resetByHook(session, reset)
    }
  }

  #dropListeners(session: Session): void {
    const left = session.listeners.clear()
    if (left.length === 0) return
    this.#listener.warn({
      severity: 'WARNING',
      sqlState: '01000',
      message: `a connection was released with listeners to ${left.join(', ')}, which were removed; remove them before the release, or use pool.listen()`,
    })
  }

  #resetParts(session: Session, parts: number): Promise<void> | undefined {
    const manner = { limit: this.#hookTimeout, mayGoAhead: this.prepare === undefined }
    return resetReleased(session, parts, manner, this.#listener.warn)
  }

  /** Whatever the hook leaves open is ended like what the owner left. */
  async #resetByHook(session: Session, reset: ConnectionHook): Promise<void> {
    await this.#resetParts(session, noPart)
    await lend(session, 'reset', reset)
    await this.#resetParts(session, noPart)
  }

  /** The user's transaction may have been read-only by itself: only the server, asked outside of it, knows. */
  async #afterRefusedWrite(
    session: Session,
    member: PoolMember,
    restored: Promise<void> | undefined,
  ): Promise<void> {
    await restored
    member.wasRefusedWrite = false
    const { targetSessionAttrs } = this.#target.resolved
    if (targetSessionAttrs !== 'read-write' && targetSessionAttrs !== 'primary') return
    const [answer] = await session.runUncounted(new SimpleColumn(session, isReadOnly), noLimits)
    if (answer === 't') this.#listener.turnedReadOnly()
  }

  #lost(error: Error, hasFailedReset: boolean, lost: Lost): void {
    const { hosts, targetSessionAttrs } = this.#target.resolved
    lost(error, hasFailedReset ? 'resetFailed' : 'lost')
    if (hosts.length > 1 || targetSessionAttrs !== 'any') this.#listener.serverMayBeGone()
  }

  #bounded<T>(hook: string, work: Promise<T>, signal: AbortSignal): Promise<T> {
    return bounded(hook, work, this.#hookTimeout, signal)
  }
}
