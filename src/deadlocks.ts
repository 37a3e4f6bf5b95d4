import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, onAbort, type Timer } from './deadline.ts'
import { PoolDeadlockError } from './errors.ts'

/** Less than the time within which a deadlock is told (R17), with room for the event loop to be late. */
const inspectEvery = 100

/** A connection that a callback holds. */
export interface HeldConnection {
  /** Whether it was given back before the callback's end. */
  isReleased(): boolean
  /** Whether the server has answered everything. */
  isIdle(): boolean
  /** Where it was acquired. */
  readonly holder: string | undefined
}

/** What runs on behalf of a callback is inside its holding, and inside those that the callback itself is in. */
interface Holding {
  readonly held: HeldConnection
  readonly outer: Holding | undefined
}

interface Wait {
  readonly inside: Holding
  readonly abort: AbortController
}

/**
 * Finds callers of one pool who can only wait for one another, by the async context in which they wait. Whether a
 * callback awaits what waits inside of it cannot be known, and is taken for granted.
 */
export class Deadlocks {
  readonly #context = new AsyncLocalStorage<Holding>()
  readonly #holdings = new Set<Holding>()
  /** The newest is the last. */
  readonly #waits = new Set<Wait>()
  readonly #clock: Clock
  readonly #capacity: () => number
  #timer: Timer | undefined

  /** `capacity`: how many connections the pool may have now. */
  constructor(clock: Clock, capacity: () => number) {
    this.#clock = clock
    this.#capacity = capacity
  }

  /** Runs a callback that holds a connection until its end. */
  async hold<T>(held: HeldConnection, work: () => Promise<T> | T): Promise<T> {
    const holding = { held, outer: this.#context.getStore() }
    this.#holdings.add(holding)
    try {
      return await this.#context.run(holding, work)
    } finally {
      this.#holdings.delete(holding)
    }
  }

  /** Waits for a connection; the signal that `acquire` gets aborts with a PoolDeadlockError, or by that of the caller. */
  async wait<T>(
    signal: AbortSignal | undefined,
    acquire: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const inside = this.#context.getStore()
    if (inside === undefined || signal?.aborted) return acquire(signal)
    const wait = { inside, abort: new AbortController() }
    const stopWatching = onAbort(signal, (reason) => wait.abort.abort(reason))
    this.#waits.add(wait)
    this.#timer ??= this.#clock.setTimer(inspectEvery, () => this.#inspect())
    try {
      return await acquire(wait.abort.signal)
    } finally {
      stopWatching()
      this.#waits.delete(wait)
      if (this.#waits.size === 0) this.#rest()
    }
  }

  #rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #inspect(): void {
    this.#timer = this.#clock.setTimer(inspectEvery, () => this.#inspect())
    const holdings = [...this.#holdings].filter(({ held }) => !held.isReleased())
    if (holdings.length < this.#capacity() || !holdings.every(({ held }) => held.isIdle())) return
    const living = new Set(holdings)
    const waiting = new Set<Holding>()
    let newest: Wait | undefined
    for (const wait of this.#waits) {
      for (let at: Holding | undefined = wait.inside; at !== undefined; at = at.outer) {
        if (!living.has(at)) continue
        waiting.add(at)
        newest = wait
      }
    }
    if (waiting.size === living.size) newest?.abort.abort(deadlock(holdings))
  }
}

function deadlock(holdings: readonly Holding[]): PoolDeadlockError {
  const places = holdings.map(({ held }) => held.holder?.split('\n', 1)[0] ?? 'an unknown caller')
  return new PoolDeadlockError(
    `no connection can come free: all ${holdings.length} are held by pool.use() or pool.transaction() callbacks that ` +
      `wait for this pool themselves, acquired by ${places.join(', ')}; inside such a callback use its own connection, ` +
      'or acquire what it needs before it begins',
  )
}
