import type { SessionCall } from './connection/queries.ts'
import type { CallLimits, Session } from './connection/session.ts'
import type { Clock } from './deadline.ts'
import { InterfaceError, RockpoolError } from './errors.ts'
import type { Lending } from './lending.ts'
import { type OneShotText, OneShotTexts } from './one-shot-texts.ts'
import { wasNotReset } from './pooled-connection.ts'
import type { Lease, ResourcePool } from './pooling/index.ts'

/** A statement that takes longer, in milliseconds, has a connection to itself. */
const quick = 5
/** Up to so many statements are in flight on one connection before another idle one is taken. */
const fewInFlight = 8
/** No more than this are in flight on one connection, */
const mostInFlight = 128
/** and no more than the server is expected to take so many milliseconds for. */
const longestQueue = 10
/** A connection is given back after so many milliseconds of shared use, for what is looked at then: its lifetimes, `expire`. */
const longestShift = 250

interface OneShotLimits {
  timeout: number
  signal: AbortSignal | undefined
}

export interface OneShotSettings {
  /** Whether statements may share a connection at all. */
  shares: boolean
  /** Milliseconds; 0: no limit. */
  acquireTimeout: number
  /** 0: no limit. */
  maxQueries: number
  /** Milliseconds; 0: none is reported. */
  leakThreshold: number
}

/** A leased connection that carries one-shots of several callers. */
class Carrier {
  readonly lease: Lease<Session>
  readonly since: number
  inFlight = 0
  /** What the server is expected to take for those in flight, in milliseconds. */
  work = 0
  /** When the last one ended, or the first began. */
  progressAt: number
  leaves = false

  constructor(lease: Lease<Session>, now: number) {
    this.lease = lease
    this.since = now
    this.progressAt = now
  }
}

/**
 * The statements that run by themselves on whatever connection is free. Quick ones that only read share connections:
 * they are written behind one another without waiting for the answers, each its own transaction. Whoever waits for a
 * connection of his own comes before those that come later.
 */
export class OneShots {
  readonly #resources: ResourcePool<Session>
  readonly #lending: Lending
  readonly #clock: Clock
  readonly #settings: OneShotSettings
  readonly #longestShift: number
  readonly #texts = new OneShotTexts()
  readonly #carriers: Carrier[] = []
  readonly #byLease = new WeakMap<Lease<Session>, Carrier>()

  constructor(resources: ResourcePool<Session>, lending: Lending, clock: Clock, settings: OneShotSettings) {
    this.#resources = resources
    this.#lending = lending
    this.#clock = clock
    this.#settings = settings
    const { leakThreshold } = settings
    this.#longestShift = leakThreshold > 0 ? Math.min(longestShift, leakThreshold / 2) : longestShift
  }

  /**
   * Runs one statement by itself; `limits.timeout` (0: none) counts the wait for a connection.
   *
   * Rejects with InterfaceError where it would have no effect by itself, with what `acquire` rejects with, and with what
   * `call` does.
   */
  run<T>(method: string, sql: string, limits: OneShotLimits, call: SessionCall<T>): Promise<T> {
    const text = this.#texts.of(sql)
    if (text.refusal !== undefined) return Promise.reject(refused(method, text.refusal))
    if (!this.#shares(text)) return this.#runAlone(method, text, sql, limits, call)
    if (this.#resources.isOpenToAll && !limits.signal?.aborted) {
      const carrier = this.#carrierWithRoom(method, text)
      if (carrier !== undefined) return this.#ride(carrier, method, text, sql, limits, call)
    }
    return this.#waitToRide(method, text, sql, limits, call)
  }

  #shares({ mayShare, time }: OneShotText): boolean {
    return this.#settings.shares && mayShare && time !== undefined && time <= quick
  }

  /** A carrier that is short, else an idle connection, else the carrier with the least in flight. */
  #carrierWithRoom(method: string, text: OneShotText): Carrier | undefined {
    const now = this.#clock.now()
    let least: Carrier | undefined
    for (const carrier of this.#carriers) {
      if (!this.#hasRoom(carrier, text, now)) continue
      if (carrier.inFlight < fewInFlight) return carrier
      if (least === undefined || carrier.inFlight < least.inFlight) least = carrier
    }
    const lease = this.#lending.tryAcquire(method)
    return lease === undefined ? least : this.#carry(lease, now)
  }

  #hasRoom(carrier: Carrier, text: OneShotText, now: number): boolean {
    if (carrier.leaves || carrier.inFlight >= mostInFlight) return false
    if (carrier.inFlight > 0 && now - carrier.progressAt > longestQueue) return false
    return carrier.inFlight === 0 || carrier.work + text.time! <= longestQueue
  }

  #carry(lease: Lease<Session>, now: number): Carrier {
    const carrier = new Carrier(lease, now)
    this.#carriers.push(carrier)
    this.#byLease.set(lease, carrier)
    return carrier
  }

  #ride<T>(
    carrier: Carrier,
    method: string,
    text: OneShotText,
    sql: string,
    limits: OneShotLimits,
    call: SessionCall<T>,
  ): Promise<T> {
    this.#board(carrier, text)
    return this.#finish(carrier, method, text, sql, limits, call)
  }

  #board(carrier: Carrier, text: OneShotText): void {
    if (carrier.inFlight++ === 0) carrier.progressAt = this.#clock.now()
    carrier.work += text.time ?? 0
  }

  #finish<T>(
    carrier: Carrier,
    method: string,
    text: OneShotText,
    sql: string,
    limits: OneShotLimits,
    call: SessionCall<T>,
  ): Promise<T> {
    const expected = text.time ?? 0
    const session = carrier.lease.connection
    return call(session, limits).then(
      (value) => {
        this.#ended(carrier, text, expected)
        return value
      },
      (error: unknown) => {
        this.#ended(carrier, text, expected)
        if (wasNotReset(error, session)) return this.run(method, sql, limits, call)
        throw error
      },
    )
  }

  #ended(carrier: Carrier, text: OneShotText, expected: number): void {
    const now = this.#clock.now()
    noteTime(text, now - carrier.progressAt)
    carrier.progressAt = now
    carrier.inFlight--
    carrier.work = carrier.inFlight === 0 ? 0 : carrier.work - expected
    const { connection: session } = carrier.lease
    const { maxQueries } = this.#settings
    if (
      now - carrier.since >= this.#longestShift ||
      session.isClosed ||
      (maxQueries > 0 && session.commands >= maxQueries)
    ) {
      carrier.leaves = true
    }
    if (!this.#resources.isOpenToAll) this.#takeJoiners(carrier, now)
    if (carrier.inFlight > 0) return
    if (carrier.leaves || !this.#resources.isOpenToAll) this.#leave(carrier)
    // What its callers do next may need it again.
    else setImmediate(() => carrier.inFlight === 0 && this.#leave(carrier))
  }

  /** Those at the head of the queue that may share come along. */
  #takeJoiners(carrier: Carrier, now: number): void {
    while (this.#hasRoom(carrier, nothingKnown, now) && this.#resources.serveJoiner(carrier.lease)) {
      this.#board(carrier, nothingKnown)
    }
  }

  #leave(carrier: Carrier): void {
    const index = this.#carriers.indexOf(carrier)
    if (index < 0) return
    this.#carriers.splice(index, 1)
    carrier.leaves = true
    carrier.lease.release()
  }

  async #waitToRide<T>(
    method: string,
    text: OneShotText,
    sql: string,
    limits: OneShotLimits,
    call: SessionCall<T>,
  ): Promise<T> {
    const started = this.#clock.now()
    const lease = await this.#acquire(method, limits, true)
    let carrier = this.#byLease.get(lease)
    if (carrier === undefined) {
      carrier = this.#carry(lease, this.#clock.now())
      this.#board(carrier, nothingKnown)
      this.#takeJoiners(carrier, carrier.since)
    }
    return this.#finish(carrier, method, text, sql, this.#left(limits, started), call)
  }

  async #runAlone<T>(
    method: string,
    text: OneShotText,
    sql: string,
    limits: OneShotLimits,
    call: SessionCall<T>,
  ): Promise<T> {
    const started = this.#clock.now()
    const lease = await this.#acquire(method, limits, false)
    const session = lease.connection
    const begun = this.#clock.now()
    try {
      const value = await call(session, this.#left(limits, started))
      noteTime(text, this.#clock.now() - begun)
      return value
    } catch (error) {
      if (!wasNotReset(error, session)) throw error
    } finally {
      lease.release()
    }
    return this.run(method, sql, this.#left(limits, started), call)
  }

  #acquire(method: string, { timeout, signal }: OneShotLimits, joins: boolean): Promise<Lease<Session>> {
    const { acquireTimeout } = this.#settings
    const wait = timeout === 0 ? acquireTimeout : Math.min(timeout, acquireTimeout || timeout)
    return this.#lending.acquire({ timeout: wait, signal, joins }, method).catch(notSent)
  }

  #left({ timeout, signal }: OneShotLimits, started: number): CallLimits {
    return { timeout: timeout === 0 ? 0 : Math.max(1, timeout - (this.#clock.now() - started)), signal }
  }
}

/** Of a statement that waits in the pool's queue only the pool knows the turn. */
const nothingKnown: OneShotText = { refusal: undefined, mayShare: true, time: 0 }

/** The share of the newest run in the average. */
const weight = 1 / 8

function noteTime(text: OneShotText, time: number): void {
  text.time = text.time === undefined ? time : text.time + (time - text.time) * weight
}

function refused(method: string, { word, use }: { word: string; use: string }): InterfaceError {
  return new InterfaceError(
    `pool.${method}(): ${word.toUpperCase()} has no lasting effect there; use ${use}`,
    { outcome: 'not-sent' },
  )
}

/** What keeps a statement from its connection keeps it from the server. */
function notSent(error: unknown): never {
  if (error instanceof RockpoolError && error.outcome === undefined) {
    Object.assign(error, { outcome: 'not-sent' })
  }
  throw error
}
