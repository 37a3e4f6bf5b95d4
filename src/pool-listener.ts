import { checkOptions } from './connection/check-options.ts'
import { checkChannel, checkListener, type NotificationListener } from './connection/listeners.ts'
import type { Session, SessionOwner } from './connection/session.ts'
import { type Clock, onAbort, type Timer } from './deadline.ts'
import { type Duration, formatDuration, parseDuration } from './duration.ts'
import { PoolClosedError, PoolTimeoutError } from './errors.ts'
import { Heartbeat } from './heartbeat.ts'
import { BackOff } from './pooling/index.ts'

export interface ListenOptions {
  /** How long it may take until the channel is listened to. Default: the pool's `acquireTimeout`; 0: no limit. */
  timeout?: Duration | undefined
  /** Its abort ends the wait for that, with its reason. */
  signal?: AbortSignal | undefined
  /**
   * How often the server is asked whether the connection still lives, and how long its answer may take. The shortest of
   * all subscriptions counts. Default `'30s'`; 0: never.
   */
  heartbeat?: Duration | undefined
  /** Called when the channel is listened to again after the connection was lost: what was sent meanwhile is lost. */
  onReconnect?: (() => unknown) | undefined
}

/** A channel that a pool listens to, until it is closed, or the pool is. */
export interface Subscription extends AsyncDisposable {
  readonly channel: string
  /** Ends it; resolves when the server was told. A second call does nothing. */
  close(): Promise<void>
}

/** What the listener needs of its pool. */
export interface ListenerHost {
  readonly clock: Clock
  readonly acquireTimeout: number
  /** A session that no hook but `connect` has run on. */
  open(owner: SessionOwner, signal: AbortSignal): Promise<Session>
  isPermanent(error: unknown): boolean
  isClosing(): boolean
  warn(message: string, error: unknown): void
}

interface Entry {
  readonly channel: string
  readonly deliver: NotificationListener
  readonly heartbeat: number
  readonly onReconnect: (() => unknown) | undefined
  /** Whoever waits until it listens for the first time. */
  starting: { resolve(): void; reject(reason: unknown): void } | undefined
}

/** The one session at a time that listens. */
interface Line {
  readonly session: Session
  readonly heartbeat: Heartbeat
  /** Ends it, without a reason to be replaced at once where anybody listens. */
  hangUp(reason?: unknown): void
  /** A LISTEN has taken effect. */
  listens(): void
}

/**
 * Listens to channels for a pool, on one session of its own, which is there while any channel is. When it is lost,
 * another is opened, with a jittered back-off, and all channels are listened to again.
 */
export class PoolListener {
  readonly #host: ListenerHost
  readonly #backOff = new BackOff(Math.random)
  readonly #entries = new Set<Entry>()
  readonly #closing = new AbortController()
  readonly #terminating = new AbortController()
  #running: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #line: Line | undefined
  /** Ends the line that there is, or is being opened. */
  #hangUp = () => {}
  /** Why nothing is listened to; `undefined`: something is, or the first line is being opened. */
  #lastFailure: unknown

  constructor(host: ListenerHost) {
    this.#host = host
  }

  /** See `Pool.listen`. */
  async listen(
    channel: string,
    listener: NotificationListener,
    options: ListenOptions = {},
  ): Promise<Subscription> {
    checkChannel(channel)
    checkListener('listen', listener)
    checkOptions(options, ['timeout', 'signal', 'heartbeat', 'onReconnect'])
    const { heartbeat = 30_000, onReconnect, signal } = options
    const timeout = parseDuration('timeout', options.timeout ?? this.#host.acquireTimeout)
    const entry: Entry = {
      channel,
      deliver: (payload, source) => listener(payload, source),
      heartbeat: parseDuration('heartbeat', heartbeat),
      onReconnect,
      starting: undefined,
    }
    signal?.throwIfAborted()
    if (this.#closing.signal.aborted || this.#host.isClosing()) throw closed()
    try {
      await this.#start(entry, timeout, signal)
    } catch (error) {
      await this.#remove(entry)
      throw error
    }
    const close = () => this.#remove(entry)
    return { channel, close, [Symbol.asyncDispose]: close }
  }

  /** Replaces the connection; that is told as after a loss. */
  expire(): void {
    this.#hangUp()
  }

  /**
   * Ends every subscription; resolves when no socket and no timer is left. `timeout` in milliseconds, 0 without; that
   * of the first call counts.
   *
   * @throws PoolTimeoutError where it passes; what is left is terminated then.
   */
  close(timeout: number): Promise<void> {
    this.#closed ??= this.#close(timeout)
    return this.#closed
  }

  /** As `close`, without a goodbye to the server. */
  async terminate(): Promise<void> {
    this.#terminating.abort()
    this.#end()
    await this.#running
  }

  async #close(timeout: number): Promise<void> {
    let timedOut: PoolTimeoutError | undefined
    this.#end()
    const timer =
      timeout === 0
        ? undefined
        : this.#host.clock.setTimer(timeout, () => {
            timedOut = closeTimedOut(timeout)
            this.#terminating.abort()
          })
    await this.#running
    timer?.cancel()
    if (timedOut !== undefined) throw timedOut
  }

  #end(): void {
    this.#closing.abort(closed())
    for (const entry of this.#entries) entry.starting?.reject(closed())
    this.#entries.clear()
    this.#hangUp()
  }

  #start(entry: Entry, timeout: number, signal: AbortSignal | undefined): Promise<void> {
    let timer: Timer | undefined
    let stopWatching = () => {}
    return new Promise<void>((resolve, reject) => {
      entry.starting = { resolve, reject }
      stopWatching = onAbort(signal, reject)
      if (timeout > 0) {
        timer = this.#host.clock.setTimer(timeout, () => reject(this.#timedOut(entry, timeout)))
      }
      this.#entries.add(entry)
      if (this.#line !== undefined) void this.#subscribe(entry, this.#line)
      else this.#running ??= this.#run()
    }).finally(() => {
      entry.starting = undefined
      timer?.cancel()
      stopWatching()
    })
  }

  async #remove(entry: Entry): Promise<void> {
    if (!this.#entries.delete(entry)) return
    const line = this.#line
    if (line === undefined) return
    if (this.#entries.size === 0) {
      line.hangUp()
      await line.session.whenClosed
    } else {
      this.#setInterval(line)
      const { session } = line
      await session.listeners
        .unlisten(session, entry.channel, entry.deliver, session.limits())
        .catch(line.hangUp)
    }
  }

  async #run(): Promise<void> {
    const { clock, warn } = this.#host
    while (this.#entries.size > 0) {
      try {
        await this.#serve()
      } catch (error) {
        if (this.#closing.signal.aborted) break
        if (this.#lastFailure === undefined) {
          warn('the connection of pool.listen() failed; another one is opened', error)
        }
        this.#lastFailure = error
        this.#refuse(error)
        const now = clock.now()
        await pause(clock, this.#backOff.failed(now) - now, this.#closing.signal)
      }
    }
    this.#running = undefined
  }

  /** Listens on one session. Resolves when nobody listens any more; rejects where the session fails. */
  async #serve(): Promise<void> {
    const { clock, open, warn } = this.#host
    const begun = clock.now()
    let hangUp: Line['hangUp'] = () => {}
    const over = new Promise<void>((resolve, reject) => {
      hangUp = (reason) => (reason === undefined ? resolve() : reject(reason))
    })
    over.catch(() => {})
    this.#hangUp = hangUp
    const owner: SessionOwner = {
      lost: hangUp,
      listenerFailed: (error) => warn('a listener of pool.listen() failed', error),
    }
    const session = await open(owner, this.#closing.signal)
    const heartbeat = new Heartbeat(session, clock, hangUp)
    let isProven = false
    const listens = () => {
      if (isProven) return
      isProven = true
      this.#backOff.succeeded(begun, clock.now())
      this.#lastFailure = undefined
    }
    const line: Line = { session, heartbeat, hangUp, listens }
    this.#line = line
    if (this.#entries.size === 0) hangUp()
    for (const entry of this.#entries) void this.#subscribe(entry, line)
    try {
      await over
    } finally {
      this.#line = undefined
      heartbeat.stop()
      await this.#leave(session)
    }
  }

  /** What does not answer now may never do. */
  async #leave(session: Session): Promise<void> {
    const { signal } = this.#terminating
    const terminate = () => session.terminate('pool.listen() has ended')
    const stopWatching = onAbort(signal, terminate)
    await (session.isIdle && !signal.aborted ? session.close() : terminate())
    stopWatching()
  }

  /** An entry whose session was lost meanwhile is taken up by the next one. */
  async #subscribe(entry: Entry, line: Line): Promise<void> {
    const { session, hangUp } = line
    try {
      this.#setInterval(line)
      await session.listeners.listen(session, entry.channel, entry.deliver, session.limits())
    } catch (error) {
      if (session.isClosed) return
      if (entry.starting === undefined) hangUp(error)
      else entry.starting.reject(error)
      return
    }
    line.listens()
    if (!this.#entries.has(entry)) return
    if (entry.starting !== undefined) entry.starting.resolve()
    else this.#tellReconnect(entry)
  }

  #setInterval({ heartbeat }: Line): void {
    const intervals = [...this.#entries].map((entry) => entry.heartbeat).filter((interval) => interval > 0)
    heartbeat.interval = intervals.length === 0 ? 0 : Math.min(...intervals)
  }

  async #tellReconnect({ onReconnect }: Entry): Promise<void> {
    try {
      await onReconnect?.()
    } catch (error) {
      this.#host.warn('an onReconnect of pool.listen() failed', error)
    }
  }

  /** Those who never listened hear of what cannot pass; those who did wait for it to be mended. */
  #refuse(error: unknown): void {
    if (!this.#host.isPermanent(error)) return
    for (const { starting } of this.#entries) starting?.reject(error)
  }

  #timedOut({ channel }: Entry, timeout: number): PoolTimeoutError {
    const limit = formatDuration(timeout)
    return new PoolTimeoutError(
      `pool.listen(): the channel ${JSON.stringify(channel)} could not be listened to within ${limit}`,
      { cause: this.#lastFailure },
    )
  }
}

function closed(): PoolClosedError {
  return new PoolClosedError('the pool is closing or closed and does not listen any more; make another pool')
}

function closeTimedOut(timeout: number): PoolTimeoutError {
  return new PoolTimeoutError(
    `the pool could not close within ${formatDuration(timeout)}; the server did not end the connection of pool.listen(), which has been terminated`,
  )
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel()
      stopWatching()
      resolve()
    }
    const timer = clock.setTimer(ms, end)
    const stopWatching = onAbort(signal, end)
    if (signal.aborted) end()
  })
}
