import { InterfaceError, type PostgresReport } from '../errors.ts'
import { SimpleCommand } from './commands/simple-command.ts'
import type { CallLimits, Session } from './session.ts'
import { quoteIdentifier } from './sql/sql.ts'

/** Where a notification comes from. */
export interface NotificationSource {
  /** The server process that sent it. */
  pid: number
  channel: string
}

/** Takes a notification ("NOTIFY", sql-notify). `payload` is empty where none was sent. */
export type NotificationListener = (payload: string, source: NotificationSource) => unknown
/** Takes a notice of the server: RAISE NOTICE, a warning. */
export type LogListener = (report: PostgresReport) => unknown
/** Hears that the connection is gone, whoever closed it. */
export type TerminationListener = () => unknown

/** PostgreSQL's NAMEDATALEN, less the zero at the end: a longer name is cut, and its notifications have the cut one. */
const longestChannel = 63

/** Who listens to a session. What a listener throws, or rejects with, goes to `failed` and hurts nobody. */
export class Listeners {
  // Most sessions never have any: what holds them is made for the first.
  #channels: Map<string, Set<NotificationListener>> | undefined
  #logs: Set<LogListener> | undefined
  #terminations: Set<TerminationListener> | undefined
  readonly #failed: (error: unknown) => void

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /**
   * Adds `callback` to a channel's. The server is asked to LISTEN in any case, which does no harm twice: whether an
   * earlier LISTEN is in effect, a ROLLBACK, an UNLISTEN or a DISCARD of the user's may have changed.
   */
  async listen(
    session: Session,
    channel: string,
    callback: NotificationListener,
    limits: CallLimits,
  ): Promise<void> {
    checkChannel(channel)
    this.#channels ??= new Map()
    const callbacks = this.#channels.get(channel) ?? new Set()
    this.#channels.set(channel, callbacks)
    // From now on: a notification may come with the very answer to the LISTEN.
    const isNew = !callbacks.has(callback)
    callbacks.add(callback)
    try {
      await session.run(new SimpleCommand(session, `LISTEN ${quoteIdentifier(channel)}`), limits)
    } catch (error) {
      if (isNew) this.#forget(channel, callback)
      throw error
    }
  }

  /** Takes `callback` off a channel; with the last one, the server is asked to UNLISTEN. */
  async unlisten(
    session: Session,
    channel: string,
    callback: NotificationListener,
    limits: CallLimits,
  ): Promise<void> {
    if (!this.#forget(channel, callback) || this.#channels?.has(channel)) return
    await session.run(new SimpleCommand(session, `UNLISTEN ${quoteIdentifier(channel)}`), limits)
  }

  get logs(): Set<LogListener> {
    this.#logs ??= new Set()
    return this.#logs
  }

  get terminations(): Set<TerminationListener> {
    this.#terminations ??= new Set()
    return this.#terminations
  }

  notification(pid: number, channel: string, payload: string): void {
    const callbacks = this.#channels?.get(channel)
    if (callbacks !== undefined) this.#tell(callbacks, payload, { pid, channel })
  }

  notice(report: PostgresReport): void {
    if (this.#logs !== undefined) this.#tell(this.#logs, report)
  }

  terminated(): void {
    const listeners = [...(this.#terminations ?? [])]
    this.clear()
    this.#tell(listeners)
  }

  /** Who hears of notices and of the end hears those of another session from now on. */
  handOver(to: Listeners): void {
    for (const listener of this.#logs ?? []) to.logs.add(listener)
    for (const listener of this.#terminations ?? []) to.terminations.add(listener)
    this.clear()
  }

  /** Takes all off; the server is not told. Returns what was left: `channel "a"`, … */
  clear(): string[] {
    const left: string[] = []
    if (this.#channels !== undefined) {
      for (const channel of this.#channels.keys()) left.push(`channel ${JSON.stringify(channel)}`)
    }
    if (this.#logs?.size) left.push('notices')
    if (this.#terminations?.size) left.push('its termination')
    this.#channels = this.#logs = this.#terminations = undefined
    return left
  }

  #tell<Args extends unknown[]>(listeners: Iterable<(...args: Args) => unknown>, ...args: Args): void {
    for (const listener of [...listeners]) {
      try {
        const result = listener(...args)
        if (result instanceof Promise) result.catch(this.#failed)
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  #forget(channel: string, callback: NotificationListener): boolean {
    const callbacks = this.#channels?.get(channel)
    if (!callbacks?.delete(callback)) return false
    if (callbacks.size === 0) this.#channels?.delete(channel)
    return true
  }
}

/** @throws InterfaceError where `channel` is no name of one. */
export function checkChannel(channel: string): void {
  const isName = typeof channel === 'string' && channel !== ''
  if (!isName || Buffer.byteLength(channel) > longestChannel) {
    throw new InterfaceError(`a channel's name must be a string of 1 to ${longestChannel} bytes`, {
      outcome: 'not-sent',
    })
  }
}

/** @throws InterfaceError where `callback` is no function. */
export function checkListener(method: string, callback: unknown): void {
  if (typeof callback !== 'function') {
    throw new InterfaceError(`${method}(): the listener must be a function`, { outcome: 'not-sent' })
  }
}
