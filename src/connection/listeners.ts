import { InterfaceError, type PostgresReport } from '../errors.ts'
import type { CallLimits, Session } from './session.ts'
import { SimpleCommand } from './simple-command.ts'
import { quoteIdentifier } from './sql.ts'

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

interface ChannelListeners {
  readonly callbacks: Set<NotificationListener>
  /** Whether a LISTEN has taken effect; one inside a transaction does at its COMMIT, or never. */
  isListening: boolean
}

/** PostgreSQL's NAMEDATALEN, less the zero at the end: a longer name is cut, and its notifications have the cut one. */
const longestChannel = 63

/** Who listens to a session. What a listener throws, or rejects with, goes to `failed` and hurts nobody. */
export class Listeners {
  readonly #channels = new Map<string, ChannelListeners>()
  readonly #logs = new Set<LogListener>()
  readonly #terminations = new Set<TerminationListener>()
  readonly #failed: (error: unknown) => void

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Adds `callback` to a channel's; the server is asked to LISTEN where it does not yet. */
  async listen(
    session: Session,
    channel: string,
    callback: NotificationListener,
    limits: CallLimits,
  ): Promise<void> {
    checkChannel(channel)
    let listeners = this.#channels.get(channel)
    if (listeners === undefined) {
      listeners = { callbacks: new Set(), isListening: false }
      this.#channels.set(channel, listeners)
    }
    // From now on: a notification may come with the very answer to the LISTEN.
    listeners.callbacks.add(callback)
    if (listeners.isListening) return
    try {
      await session.run(new SimpleCommand(session, `LISTEN ${quoteIdentifier(channel)}`), limits)
      listeners.isListening = session.transactionStatus === 'I'
    } catch (error) {
      this.#forget(channel, callback)
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
    if (!this.#forget(channel, callback) || this.#channels.has(channel)) return
    await session.run(new SimpleCommand(session, `UNLISTEN ${quoteIdentifier(channel)}`), limits)
  }

  get logs(): Set<LogListener> {
    return this.#logs
  }

  get terminations(): Set<TerminationListener> {
    return this.#terminations
  }

  notification(pid: number, channel: string, payload: string): void {
    const listeners = this.#channels.get(channel)
    if (listeners !== undefined) this.#tell(listeners.callbacks, payload, { pid, channel })
  }

  notice(report: PostgresReport): void {
    this.#tell(this.#logs, report)
  }

  terminated(): void {
    const listeners = [...this.#terminations]
    this.clear()
    this.#tell(listeners)
  }

  /** Takes all off; the server is not told. Returns what was left: `channel "a"`, … */
  clear(): string[] {
    const left = [...this.#channels.keys()].map((channel) => `channel ${JSON.stringify(channel)}`)
    if (this.#logs.size > 0) left.push('notices')
    if (this.#terminations.size > 0) left.push('its termination')
    this.#channels.clear()
    this.#logs.clear()
    this.#terminations.clear()
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
    const listeners = this.#channels.get(channel)
    if (!listeners?.callbacks.delete(callback)) return false
    if (listeners.callbacks.size === 0) this.#channels.delete(channel)
    return true
  }
}

function checkChannel(channel: string): void {
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
