import type { Clock } from '../deadline.ts'
import { onAbort } from '../deadline.ts'
import { DeadlineQueue, type Line, type Timed } from './deadline-queue.ts'
import type { Lease } from './lease.ts'
import { type Linked, LinkedList } from './linked-list.ts'

/** `chosen`: out of the queue, for a connection that is being prepared; its time runs on and it may still be aborted. */
export type WaiterState = 'queued' | 'chosen' | 'settled'

/** One `acquire` that could not be served in the turn of its call. */
export class Waiter<C> implements Linked<Waiter<C>>, Timed<Waiter<C>> {
  state: WaiterState = 'queued'
  previous: Waiter<C> | undefined
  next: Waiter<C> | undefined
  line: Line<Waiter<C>> | undefined
  before: Waiter<C> | undefined
  behind: Waiter<C> | undefined
  /** Takes the abort listener off the caller's signal. */
  unlisten: (() => void) | undefined
  readonly since: number
  /** Milliseconds; 0: no limit. */
  readonly timeout: number
  readonly holder: string | undefined
  /** Whether it may share the connection of others that do. */
  readonly joins: boolean
  readonly resolve: (lease: Lease<C>) => void
  readonly reject: (reason: unknown) => void

  constructor(
    since: number,
    timeout: number,
    holder: string | undefined,
    resolve: (lease: Lease<C>) => void,
    reject: (reason: unknown) => void,
    joins = false,
  ) {
    this.since = since
    this.timeout = timeout
    this.holder = holder
    this.joins = joins
    this.resolve = resolve
    this.reject = reject
  }
}

/**
 * First come, first served. Whoever leaves, for whatever reason, leaves by `serve` or `refuse`, and only the
 * first of these counts: each caller is settled once, and nothing of it stays behind.
 */
export class WaitQueue<C> {
  readonly #queued = new LinkedList<Waiter<C>>()
  readonly #deadlines: DeadlineQueue<Waiter<C>>
  readonly #left: () => void

  /** `timedOut` has to refuse each of the waiters it gets; `left` is called after one was aborted. */
  constructor(clock: Clock, timedOut: (waiters: Waiter<C>[], now: number) => void, left: () => void) {
    this.#deadlines = new DeadlineQueue(clock, timedOut)
    this.#left = left
  }

  /** Those that were not chosen yet. */
  get length(): number {
    return this.#queued.length
  }

  get first(): Waiter<C> | undefined {
    return this.#queued.first
  }

  add(waiter: Waiter<C>, signal: AbortSignal | undefined): void {
    // First, as it may refuse the signal: nobody must wait for whom nobody waits.
    if (signal !== undefined) {
      waiter.unlisten = onAbort(signal, (reason) => {
        this.refuse(waiter, reason)
        this.#left()
      })
    }
    this.#queued.push(waiter)
    if (waiter.timeout > 0) this.#deadlines.add(waiter)
  }

  choose(waiter: Waiter<C>): void {
    this.#queued.remove(waiter)
    waiter.state = 'chosen'
  }

  serve(waiter: Waiter<C>, lease: Lease<C>): void {
    this.#settle(waiter)
    waiter.resolve(lease)
  }

  /** Does nothing where `waiter` is settled already. */
  refuse(waiter: Waiter<C>, reason: unknown): void {
    if (waiter.state === 'settled') return
    this.#settle(waiter)
    waiter.reject(reason)
  }

  /** Refuses all that are queued. */
  refuseAll(reason: unknown): void {
    for (let first = this.first; first !== undefined; first = this.first) this.refuse(first, reason)
  }

  /** Stops the timer of the deadlines. Nobody may be waiting. */
  stop(): void {
    this.#deadlines.stop()
  }

  #settle(waiter: Waiter<C>): void {
    if (waiter.state === 'queued') this.#queued.remove(waiter)
    waiter.state = 'settled'
    this.#deadlines.remove(waiter)
    waiter.unlisten?.()
  }
}
