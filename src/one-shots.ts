import { Carrier, type End } from './carrier.ts'
import type { CommandWatcher } from './connection/commands/command.ts'
import type { SessionCall } from './connection/queries.ts'
import type { CallLimits, Session } from './connection/session.ts'
import type { Clock } from './deadline.ts'
import { InterfaceError, PostgresError, QueryTimeoutError } from './errors.ts'
import type { Lending } from './lending.ts'
import { type OneShotText, OneShotTexts } from './one-shot-texts.ts'
import { notSent, wasNotReset } from './pooled-connection.ts'
import type { Lease, ResourcePool } from './pooling/index.ts'

/** A statement that takes longer, in milliseconds, has a connection to itself. */
const quick = 5
/** Up to so many statements are in flight on one connection before another is shared, */
const fewInFlight = 8
/**
 * and of connections that are soon done no more than these: so many server processes answer the quickest statements as
 * fast as one event loop asks for them, and long queues go out and come back in longer pieces than short ones.
 */
const enoughCarriers = 3
/** A connection is given back after so many milliseconds of shared use, for what is looked at then: its lifetimes, `expire`. */
const longestShift = 250

/** `execute` takes the simple protocol, and `executeMany` may have any number of runs. */
const sharing = new Set(['fetch', 'fetchRow', 'fetchVal', 'query'])

export interface OneShotSettings {
  /** The longest text, in characters, that may share a connection: longer ones are not kept prepared. 0: none shares. */
  longestShared: number
  /** Milliseconds; 0: no limit. */
  acquireTimeout: number
  /** 0: no limit. */
  maxQueries: number
  /** Milliseconds; 0: none is reported. */
  leakThreshold: number
}

/** One statement to be run by itself. */
interface OneShot<T> {
  method: string
  sql: string
  text: OneShotText
  /** Its time-out counts the wait for a connection. */
  limits: CallLimits
  call: SessionCall<T>
}

/** A statement on its carrier, until it ends. */
class Ride implements CommandWatcher {
  readonly carrier: Carrier
  readonly text: OneShotText
  readonly work: number
  readonly #signal: AbortSignal | undefined
  readonly #alight: (ride: Ride, end: End) => void

  constructor(
    carrier: Carrier,
    text: OneShotText,
    work: number,
    signal: AbortSignal | undefined,
    alight: (ride: Ride, end: End) => void,
  ) {
    this.carrier = carrier
    this.text = text
    this.work = work
    this.#signal = signal
    this.#alight = alight
  }

  succeeded(): void {
    this.#alight(this, 'answered')
  }

  failed(reason: unknown): void {
    this.#alight(this, endOf(reason, this.#signal))
  }
}

/**
 * The statements that run by themselves on whatever connection is free. Quick ones that only read share connections:
 * they are written behind one another without waiting for the answers, each its own transaction. Whoever waits for a
 * connection comes before those that come later.
 */
export class OneShots {
  readonly #resources: ResourcePool<Session>
  readonly #lending: Lending
  readonly #clock: Clock
  readonly #settings: OneShotSettings
  readonly #longestShift: number
  readonly #texts: OneShotTexts
  readonly #carriers: Carrier[] = []
  readonly #byLease = new WeakMap<Lease<Session>, Carrier>()

  constructor(resources: ResourcePool<Session>, lending: Lending, clock: Clock, settings: OneShotSettings) {
    this.#resources = resources
    this.#lending = lending
    this.#clock = clock
    this.#settings = settings
    const { leakThreshold, longestShared } = settings
    this.#texts = new OneShotTexts(longestShared)
    this.#longestShift = leakThreshold > 0 ? Math.min(longestShift, leakThreshold / 2) : longestShift
  }

  /**
   * Runs one statement by itself; `limits.timeout` (0: none) counts the wait for a connection.
   *
   * Rejects with InterfaceError where it would have no effect by itself, with what `acquire` rejects with, and with what
   * `call` does.
   */
  run<T>(method: string, sql: string, limits: CallLimits, call: SessionCall<T>): Promise<T> {
    const text = this.#texts.of(sql)
    if (text.refusal !== undefined) return Promise.reject(refused(method, text.refusal))
    const shot = { method, sql, text, limits, call }
    if (!text.mayShare || !(text.time <= quick) || !sharing.has(method)) return this.#runAlone(shot)
    if (!this.#resources.isOpenToAll || limits.signal?.aborted) return this.#waitAndShare(shot)
    const now = this.#clock.now()
    const carrier = this.#carrierWithRoom(shot, now)
    if (carrier === undefined) return this.#waitAndShare(shot)
    carrier.board(text.time, now)
    return this.#ride(carrier, shot, text.time, now)
  }

  /** Has the connections that carry nothing at the moment be there for whoever is about to ask the pool for one. */
  giveBackIdle(): void {
    if (this.#carriers.length > 0) [...this.#carriers].forEach(this.#giveBackIdle)
  }

  /**
   * Of as many carriers as are enough the one with the least in flight, where it is short; else an idle connection, else
   * the carrier with the least in flight of all. Those beyond are not chosen, and go back when they have ended.
   */
  #carrierWithRoom({ method, text }: OneShot<unknown>, now: number): Carrier | undefined {
    const wanted = Math.min(enoughCarriers, Math.ceil((this.#inFlight + 1) / fewInFlight))
    let least: Carrier | undefined
    for (let i = 0; i < this.#carriers.length; i++) {
      if (i >= enoughCarriers && least?.isShort(text.time)) return least
      const carrier = this.#carriers[i]!
      if (!carrier.hasRoom(text.time, now)) continue
      if (least === undefined || carrier.inFlight < least.inFlight) least = carrier
    }
    if (this.#carriers.length >= wanted && least?.isShort(text.time)) return least
    const lease = this.#lending.tryAcquire(method)
    return lease === undefined ? least : this.#carry(lease, now)
  }

  get #inFlight(): number {
    let inFlight = 0
    for (const carrier of this.#carriers) inFlight += carrier.inFlight
    return inFlight
  }

  #carry(lease: Lease<Session>, now: number): Carrier {
    const { maxQueries } = this.#settings
    const left = maxQueries > 0 ? maxQueries - lease.connection.commands : Number.POSITIVE_INFINITY
    const carrier = new Carrier(lease, now, now + this.#longestShift, left)
    this.#carriers.push(carrier)
    this.#byLease.set(lease, carrier)
    return carrier
  }

  /** Runs a statement that has boarded with `work`. */
  #ride<T>(carrier: Carrier, shot: OneShot<T>, work: number, now: number): Promise<T> {
    const session = carrier.lease.connection
    const { timeout, signal } = shot.limits
    const watcher = new Ride(carrier, shot.text, work, signal, this.#alight)
    const mayBeUnfit = session.isResetting || session.isUnfit
    let result: Promise<T>
    try {
      result = shot.call(session, { timeout, signal, watcher })
    } catch (error) {
      watcher.failed(error)
      return Promise.reject(error)
    }
    if (!mayBeUnfit) return result
    return result.catch((error: unknown) => {
      if (!wasNotReset(error, session)) throw error
      return this.run(shot.method, shot.sql, this.#left(shot, now), shot.call)
    })
  }

  readonly #alight = ({ carrier, text, work }: Ride, end: End) => {
    const now = this.#clock.now()
    const time = carrier.alight(work, now, end)
    if (time !== undefined) text.took(time)
    this.#takeJoiners(carrier, now)
    if (carrier.inFlight > 0) return
    // Not in this turn, in which the connection is still at the answer.
    if (carrier.isLeaving || !this.#resources.isOpenToAll) queueMicrotask(() => this.#giveBackIdle(carrier))
    else setImmediate(this.#giveBackIdle, carrier)
  }

  /** Those at the head of the pool's queue that share, too, come along. */
  #takeJoiners(carrier: Carrier, now: number): void {
    if (this.#resources.waitingSize === 0) return
    while (carrier.hasRoom(0, now) && this.#resources.serveJoiner(carrier.lease)) carrier.board(0, now)
  }

  /** Its callers have had their answers: what they asked for next has kept it. */
  readonly #giveBackIdle = (carrier: Carrier) => {
    if (carrier.inFlight === 0) this.#giveBack(carrier)
  }

  #giveBack(carrier: Carrier): void {
    const index = this.#carriers.indexOf(carrier)
    if (index < 0) return
    this.#carriers.splice(index, 1)
    carrier.leave()
    carrier.lease.release()
  }

  async #waitAndShare<T>(shot: OneShot<T>): Promise<T> {
    const started = this.#clock.now()
    const lease = await this.#acquire(shot, true)
    const now = this.#clock.now()
    let carrier = this.#byLease.get(lease)
    if (carrier === undefined) {
      carrier = this.#carry(lease, now)
      carrier.board(0, now)
      this.#takeJoiners(carrier, now)
    }
    return this.#ride(carrier, { ...shot, limits: this.#left(shot, started) }, 0, now)
  }

  async #runAlone<T>(shot: OneShot<T>): Promise<T> {
    const started = this.#clock.now()
    const lease = await this.#acquire(shot, false)
    const session = lease.connection
    const begun = this.#clock.now()
    try {
      const value = await shot.call(session, this.#left(shot, started))
      shot.text.took(this.#clock.now() - begun)
      return value
    } catch (error) {
      if (!wasNotReset(error, session)) throw error
    } finally {
      lease.release()
    }
    return this.run(shot.method, shot.sql, this.#left(shot, started), shot.call)
  }

  #acquire({ method, limits }: OneShot<unknown>, joins: boolean): Promise<Lease<Session>> {
    this.giveBackIdle()
    const { acquireTimeout } = this.#settings
    const { timeout, signal } = limits
    const wait = timeout === 0 ? acquireTimeout : Math.min(timeout, acquireTimeout || timeout)
    return this.#lending.acquire({ timeout: wait, signal, joins }, method).catch(notSent)
  }

  #left({ limits: { timeout, signal } }: OneShot<unknown>, started: number): CallLimits {
    return { timeout: timeout === 0 ? 0 : Math.max(1, timeout - (this.#clock.now() - started)), signal }
  }
}

function endOf(error: unknown, signal: AbortSignal | undefined): End {
  if (error instanceof QueryTimeoutError || signal?.aborted) return 'abandoned'
  return error instanceof PostgresError ? 'answered' : 'refused'
}

function refused(method: string, { word, use }: { word: string; use: string }): InterfaceError {
  return new InterfaceError(
    `pool.${method}(): ${word.toUpperCase()} has no lasting effect there; use ${use}`,
    { outcome: 'not-sent' },
  )
}
