import { parseDuration } from '../duration.ts'
import { Circulation } from './circulation.ts'
import type { Connector, Environment } from './connector.ts'
import { PoolCore } from './core.ts'
import { type Deferred, deferred } from './deferred.ts'
import type { PoolEvents } from './events.ts'
import { firstLine, holders, overloaded } from './exhaustion.ts'
import { Growth } from './growth.ts'
import { Housekeeping } from './housekeeping.ts'
import type { Lease } from './lease.ts'
import { Retirement } from './retirement.ts'
import { type PoolSettings, resolveSizes } from './settings.ts'
import { poolClosed, Shutdown } from './shutdown.ts'
import type { SlotState } from './slot.ts'
import type { PoolStats } from './stats.ts'
import { Waiter } from './wait-queue.ts'

export interface AcquireOptions {
  /** How long to wait, in milliseconds. Default: `acquireTimeout`. 0: no limit. */
  timeout?: number | undefined
  /** Its abort ends the wait, with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Who will have the connection: one line for the messages that name the longest holder, and more for the event 'leak'. */
  holder?: string | undefined
  /** Whether `serveJoiner` may have it share another's lease. Default false. */
  joins?: boolean | undefined
}

export interface CloseOptions {
  /** After so many milliseconds what is left is terminated. Default and 0: no limit. */
  timeout?: number | undefined
}

const noOptions = {}

/** The states of a slot without a connection that is open. */
const away: ReadonlySet<SlotState> = new Set(['connecting', 'closing', 'terminating'])

/**
 * A pool of connections of any kind. It opens them by its connector, hands each to one caller at a time, and keeps
 * between `minSize` and `maxSize` of them. No method throws in place of rejecting.
 */
export class ResourcePool<C> {
  readonly #core: PoolCore<C>
  readonly #retirement: Retirement<C>
  readonly #circulation: Circulation<C>
  readonly #growth: Growth<C>
  readonly #shutdown: Shutdown<C>
  /** While `open` waits for the floor. */
  #start: Deferred<void> | undefined

  constructor(connector: Connector<C>, settings: PoolSettings, environment: Environment) {
    const core = new PoolCore(connector, settings, environment, (now) => this.#pump(now))
    const retirement = new Retirement(core)
    const housekeeping = new Housekeeping(core, retirement)
    const circulation = new Circulation(core, retirement, housekeeping)
    const failed = (error: unknown, permanent: boolean) => this.#connectFailed(error, permanent)
    this.#core = core
    this.#retirement = retirement
    this.#circulation = circulation
    this.#growth = new Growth(core, retirement, circulation, housekeeping, failed)
    this.#shutdown = new Shutdown(core, retirement, this.#growth, housekeeping)
  }

  /** Open connections, idle or not. */
  get size(): number {
    return this.#core.slots.open
  }

  get idleSize(): number {
    return this.#core.slots.counts.idle
  }

  /** Callers that wait for a connection. */
  get waitingSize(): number {
    return this.#core.queue.length
  }

  get minSize(): number {
    return this.#core.minSize
  }

  get maxSize(): number {
    return this.#core.slots.capacity
  }

  /** Whether the pool is closing or closed. */
  get isClosing(): boolean {
    return this.#shutdown.hasBegun
  }

  /**
   * Resolves when `minSize` connections are open: the first is opened alone, the others side by side. If a connect
   * fails, all are closed and it rejects with that error. Where an earlier `acquire` has opened the pool, it
   * resolves at once.
   *
   * @throws PoolClosedError where the pool is, or meanwhile gets, closed.
   */
  open(): Promise<void> {
    if (this.isClosing) return Promise.reject(poolClosed())
    if (this.#start !== undefined) return this.#start.promise
    if (this.#core.phase !== 'new') return Promise.resolve()
    const start = deferred<void>()
    this.#start = start
    this.#core.phase = 'open'
    this.#pumpNow()
    return start.promise
  }

  /**
   * The most recently used idle connection, else the first to be opened or released for whom nobody waited longer.
   * The first call opens the pool.
   *
   * @throws PoolTimeoutError, the last connect failure as its `cause`, where `timeout` passes.
   * @throws PoolOverloadedError where `maxWaiting` callers wait already.
   * @throws PoolClosedError where the pool is closing, or is terminated meanwhile.
   * @throws InterfaceError where `timeout` is not a duration.
   * @throws The signal's reason when it aborts, and the error of a connect or of `setup` that failed for good.
   */
  acquire(options: AcquireOptions = noOptions): Promise<Lease<C>> {
    const { signal, timeout } = options
    if (signal?.aborted) return Promise.reject(signal.reason)
    const now = this.#core.clock.now()
    if (timeout === undefined || timeout >= 0) {
      const lease = this.#tryAcquire(now, options.holder)
      if (lease !== undefined) return Promise.resolve(lease)
    }
    return this.#wait(options, now)
  }

  /** The most recently used connection, where it is idle and may be handed out in this very turn. */
  tryAcquire(holder?: string): Lease<C> | undefined {
    return this.#tryAcquire(this.#core.clock.now(), holder)
  }

  /** Whether nobody waits, and who comes now is served at once where there is an idle connection. */
  get isOpenToAll(): boolean {
    return this.#core.phase === 'open' && this.#core.queue.length === 0
  }

  /**
   * Has the first of those who wait use the connection of `lease`, too, where both want to share. Who holds the lease
   * releases it when all are done.
   */
  serveJoiner(lease: Lease<C>): boolean {
    const { queue, serves } = this.#core
    const first = queue.first
    if (first === undefined || !first.joins || !serves) return false
    queue.serve(first, lease)
    // What was opened for those who waited is for nobody now.
    if (this.isClosing) this.#pumpNow()
    return true
  }

  /**
   * Refuses new callers, serves those who wait, and resolves when every connection has come back and is closed.
   * After `timeout` it terminates and rejects. A suspended pool hands out again for those who wait. Later calls
   * return the first one's promise, and their `timeout` does not count.
   *
   * @throws PoolTimeoutError naming the holders where `timeout` passes.
   * @throws InterfaceError where `timeout` is not a duration.
   */
  close(options: CloseOptions = noOptions): Promise<void> {
    let timeout: number
    try {
      timeout = parseDuration('timeout', options.timeout ?? 0)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#cancelStart()
    return this.#shutdown.close(timeout)
  }

  /** Ends every connection at once and rejects all who wait with a PoolClosedError. Resolves when nothing is left. */
  terminate(): Promise<void> {
    this.#cancelStart()
    return this.#shutdown.terminate()
  }

  /** Replaces every connection: the idle ones now, the others when they come back. */
  expire(): void {
    this.#core.generation++
    for (const slot of [...this.#core.slots.idle]) {
      if (slot.state === 'idle') this.#retirement.retire(slot, 'expired', 'closing')
    }
    this.#pumpNow()
  }

  /** Hands out nothing until `resume`; callers wait. What is in use stays so, and `minSize` connections are kept. */
  suspend(): void {
    const { phase } = this.#core
    if (phase !== 'new' && phase !== 'open') return
    this.#core.phase = 'suspended'
    this.#pumpNow()
  }

  /** Ends `suspend`. */
  resume(): void {
    if (this.#core.phase !== 'suspended') return
    this.#core.phase = 'open'
    this.#pumpNow()
  }

  /**
   * Changes the sizes. Above a lowered `maxSize` idle connections are closed now, the others as they come back.
   *
   * @throws InterfaceError naming the size that is no count, or does not go with the other.
   */
  resize(size: { minSize?: number | undefined; maxSize?: number | undefined }): void {
    const { slots } = this.#core
    const { minSize, maxSize } = resolveSizes(size.minSize ?? this.minSize, size.maxSize ?? this.maxSize)
    this.#core.minSize = minSize
    slots.capacity = maxSize
    for (const slot of [...slots.idle]) {
      // By the present capacity: a listener may have changed it again.
      if (slots.staying > slots.capacity && slot.state === 'idle') {
        this.#retirement.retire(slot, 'resized', 'closing')
      }
    }
    this.#pumpNow()
  }

  /** Those that are open, in use or not. */
  connections(): C[] {
    const open = this.#core.slots.all().filter(({ state }) => !away.has(state))
    return open.map(({ connection }) => connection)
  }

  /** Has every idle connection checked before its next hand-out, unless `checkIdleAfter` is 0. */
  distrust(): void {
    for (const slot of this.#core.slots.idle) slot.provenAt = Number.NEGATIVE_INFINITY
  }

  /** Tells the listeners to 'warning' what the connector noticed. */
  warn(message: string, error?: unknown): void {
    this.#core.events.warn(message, error)
  }

  stats(): PoolStats {
    const { slots, queue, totals, clock } = this.#core
    const { counts } = slots
    const longest = holders(this.#core)[0]
    return {
      minSize: this.minSize,
      maxSize: this.maxSize,
      size: slots.open,
      free: Math.max(0, counts.free),
      connecting: counts.connecting,
      checking: counts.checking,
      preparing: counts.preparing,
      idle: counts.idle,
      leased: counts.leased,
      resetting: counts.resetting,
      closing: counts.closing + counts.terminating,
      waiting: queue.length,
      longestHeld: longest === undefined ? 0 : clock.now() - longest.acquiredAt,
      longestHolder: longest?.holder === undefined ? undefined : firstLine(longest.holder),
      totals: { ...totals, closed: { ...totals.closed } },
    }
  }

  /** Calls `listener` at each such event, in the turn in which it happens; the returned function takes it off again. */
  on<E extends keyof PoolEvents<C>>(event: E, listener: (payload: PoolEvents<C>[E]) => unknown): () => void {
    return this.#core.events.on(event, listener)
  }

  #tryAcquire(now: number, holder: string | undefined): Lease<C> | undefined {
    return this.isOpenToAll ? this.#circulation.tryLease(now, holder) : undefined
  }

  #wait(options: AcquireOptions, now: number): Promise<Lease<C>> {
    const core = this.#core
    return new Promise((resolve, reject) => {
      if (this.isClosing) throw poolClosed()
      const timeout =
        options.timeout === undefined
          ? core.settings.acquireTimeout
          : parseDuration('timeout', options.timeout)
      if (core.queue.length >= core.settings.maxWaiting + this.#prospects()) throw overloaded(core, now)
      if (core.phase === 'new') core.phase = 'open'
      core.queue.add(new Waiter(now, timeout, options.holder, resolve, reject, options.joins), options.signal)
      this.#pump(now)
    })
  }

  /** How many callers need no other's release to be served. */
  #prospects(): number {
    if (this.#core.phase === 'suspended') return 0
    const { free, idle, connecting, checking } = this.#core.slots.counts
    return Math.max(0, free) + idle + connecting + checking
  }

  #connectFailed(error: unknown, permanent: boolean): void {
    const { queue } = this.#core
    const start = this.#start
    if (start !== undefined) {
      this.#start = undefined
      queue.refuseAll(error)
      this.#shutdown.close(0).then(() => start.reject(error))
    } else if (permanent && queue.first !== undefined) {
      queue.refuse(queue.first, error)
    }
  }

  #cancelStart(): void {
    this.#start?.reject(poolClosed())
    this.#start = undefined
  }

  #pumpNow(): void {
    this.#pump(this.#core.clock.now())
  }

  /** Does what the situation asks for: hands out, opens, tells that the floor stands, goes on with the end. */
  #pump(now: number): void {
    const { slots } = this.#core
    this.#circulation.dispatch(now)
    this.#growth.grow(now)
    if (this.#start !== undefined && slots.open >= this.minSize) {
      this.#start.resolve()
      this.#start = undefined
    }
    if (this.isClosing) this.#shutdown.progress()
  }
}
