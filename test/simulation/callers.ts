import { InterfaceError, PoolClosedError, PoolOverloadedError, PoolTimeoutError } from '../../src/errors.ts'
import type { Lease, ResourcePool } from '../../src/pooling/index.ts'
import type { SimulatedConnection } from './connection.ts'
import type { Holding } from './holding.ts'
import type { Model } from './model.ts'
import { SimulatedError, type World } from './world.ts'

/** As much of an AbortSignal as the pool needs, which tells its caller whether the pool listens. */
class CallerSignal {
  aborted = false
  reason: unknown
  listener: (() => void) | undefined
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  addEventListener(_: string, listener: () => void): void {
    this.listener = listener
    this.#caller.isQueued = true
  }

  removeEventListener(_: string, listener: () => void): void {
    if (this.listener === listener) this.listener = undefined
    this.#caller.isQueued = false
    this.#caller.isLeft = true
  }
}
Object.setPrototypeOf(CallerSignal.prototype, AbortSignal.prototype)

/** One call of `acquire` or of `tryAcquire`. */
export class Caller {
  /** In the queue, not chosen yet; known where it has a signal. */
  isQueued = false
  /** The pool has done with it, as the end of its listening to the signal tells. */
  isLeft = false
  /** Whose lease it shares, once it was asked to. */
  shares: Holding | undefined
  /** A connection is being prepared for it. */
  isChosen = false
  /** The event of its hand-out came. */
  number: number | undefined
  signal: CallerSignal | undefined
  /** Whether it comes when as many wait as may; undefined where that cannot be told from outside. */
  isTooMany: boolean | undefined
  /** R4: a connect that failed for good is its own to hear of. */
  hasFailed = false
  readonly id: number
  readonly since: number
  /** Milliseconds; 0: none. */
  readonly timeout: number
  /** Where it was called when the pool had begun to end. */
  readonly isLate: boolean
  /** Whether it would share another's lease. */
  readonly joins: boolean

  constructor(id: number, since: number, timeout: number, isLate: boolean, joins: boolean) {
    this.id = id
    this.since = since
    this.timeout = timeout
    this.isLate = isLate
    this.joins = joins
  }

  get deadline(): number {
    return this.timeout > 0 ? this.since + this.timeout : Number.POSITIVE_INFINITY
  }
}

/** What a caller wants. */
export interface Wish {
  /** Undefined: the pool's own. */
  timeout: number | undefined
  hasSignal: boolean
  isAborted: boolean
  joins: boolean
}

/** Those who ask for connections, and whether each gets what it must: I2 and I7. */
export class Callers {
  /** By their numbers: in the order in which they asked. */
  readonly pending = new Map<number, Caller>()
  /** The highest number that was served. */
  highestServed = 0
  timedOut = 0
  overloaded = 0
  readonly #world: World
  readonly #model: Model
  readonly #pool: ResourcePool<SimulatedConnection>
  readonly #served: (caller: Caller, lease: Lease<SimulatedConnection>) => void
  readonly #shares: (caller: Caller, lease: Lease<SimulatedConnection>) => void
  #ids = 0

  constructor(
    world: World,
    model: Model,
    pool: ResourcePool<SimulatedConnection>,
    served: (caller: Caller, lease: Lease<SimulatedConnection>) => void,
    shares: (caller: Caller, lease: Lease<SimulatedConnection>) => void,
  ) {
    this.#world = world
    this.#model = model
    this.#pool = pool
    this.#served = served
    this.#shares = shares
  }

  /** The one who waits longest and was not chosen; exact where every caller has a signal. */
  get first(): Caller | undefined {
    for (const caller of this.pending.values()) if (caller.isQueued && !caller.isChosen) return caller
    return undefined
  }

  acquire({ timeout, hasSignal, isAborted, joins }: Wish): Caller {
    const world = this.#world
    const model = this.#model
    const caller = this.#come(timeout ?? world.settings.acquireTimeout, joins)
    if (world.isSettled && !model.isEnding && !world.plan.hasMuteCallers) caller.isTooMany = this.#isFull()
    world.log(joins ? 'acquire or share' : 'acquire', caller.id, caller.timeout)
    this.pending.set(caller.id, caller)
    if (hasSignal) caller.signal = new CallerSignal(caller)
    if (isAborted && caller.signal !== undefined) this.abort(caller)
    else if (model.phase === 'new' && caller.timeout >= 0) model.phase = 'open'
    const signal = caller.signal as unknown as AbortSignal | undefined
    this.#pool.acquire({ timeout, signal, holder: String(caller.id), joins }).then(
      (lease) => this.#wasServed(caller, lease),
      (error: unknown) => this.#wasRefused(caller, error),
    )
    return caller
  }

  /** Somebody takes what can be had in this very turn. */
  tryAcquire(): void {
    const world = this.#world
    const model = this.#model
    const caller = this.#come(0, false)
    const mustBeServed = world.isSettled && this.pending.size === 0 && model.isReady
    world.log('try', caller.id)
    this.pending.set(caller.id, caller)
    const lease = this.#pool.tryAcquire(String(caller.id))
    if (lease !== undefined) {
      this.#wasServed(caller, lease)
      return
    }
    this.pending.delete(caller.id)
    if (caller.number !== undefined) {
      world.violate('I2', `caller ${caller.id} is sent away though lease ${caller.number} is its own`)
    }
    if (mustBeServed) world.violate('R3', `caller ${caller.id} is sent away beside an idle connection`)
  }

  /** The one who has `holding` has whoever waits longest share it; false: he does not want to, or nobody waits. */
  share(holding: Holding): boolean {
    const world = this.#world
    const { first } = this
    const mayShare = first?.joins === true && this.#model.serves
    world.log('share', holding.number)
    // Within the call somebody may release what nobody is known to share.
    holding.arriving++
    const { state } = holding.connection
    const isServed = this.#pool.serveJoiner(holding.lease!)
    if (isServed) world.coverage.hit(state, 'shared')
    else holding.arriving--
    // Of callers without a signal it is not known who is the first.
    if (world.plan.hasMuteCallers) return isServed
    if (isServed !== mayShare) {
      world.violate('R16', `${mayShare ? 'nobody' : 'somebody'} shares lease ${holding.number}`)
    } else if (isServed && first !== undefined) {
      first.shares = holding
      if (!first.isLeft) world.violate('I7', `caller ${first.id} waits, and another shares a lease`)
    }
    return isServed
  }

  abort(caller: Caller): void {
    const { signal } = caller
    if (signal === undefined || signal.aborted) return
    this.#world.log('abort', caller.id)
    signal.aborted = true
    signal.reason = new SimulatedError(`caller ${caller.id} left`)
    const { listener } = signal
    signal.listener = undefined
    listener?.()
  }

  /** The pool says that it hands `connection` to the caller of this number. */
  handedOut(id: number, number: number): Caller | undefined {
    const caller = this.pending.get(id)
    if (caller === undefined || caller.number !== undefined) {
      this.#world.violate('I2', `lease ${number} is for caller ${id}, who has gone or been served`)
      return undefined
    }
    caller.number = number
    for (const other of this.pending.values()) {
      if (other.id >= id) break
      if (!other.isQueued || other.isChosen) continue
      if (!caller.isChosen) this.#world.violate('I7', `caller ${id} overtakes caller ${other.id}`)
    }
    if (!caller.isChosen) this.highestServed = Math.max(this.highestServed, id)
    caller.isChosen = false
    return caller
  }

  #come(timeout: number, joins: boolean): Caller {
    const { isEnding, isStarting } = this.#model
    const isLate = isEnding || (isStarting && this.#pool.isClosing)
    return new Caller(++this.#ids, this.#world.clock.now(), timeout, isLate, joins)
  }

  /** R5: whether `maxWaiting` wait for a release already. Those for whom there is room do not count. */
  #isFull(): boolean {
    const { counts, maxSize, taken, phase } = this.#model
    let waiting = 0
    for (const caller of this.pending.values()) if (!caller.isChosen) waiting++
    const { idle, connecting, checking } = counts
    const prospects = Math.max(0, maxSize - taken.size) + idle + connecting + checking
    return waiting >= this.#world.settings.maxWaiting + (phase === 'suspended' ? 0 : prospects)
  }

  #wasServed(caller: Caller, lease: Lease<SimulatedConnection>): void {
    this.#world.log('served', caller.id, lease.number)
    if (caller.isTooMany) this.#world.violate('R5', `caller ${caller.id} is served beyond maxWaiting`)
    this.#settled(caller)
    if (caller.joins && caller.number === undefined) {
      this.highestServed = Math.max(this.highestServed, caller.id)
      this.#shares(caller, lease)
      return
    }
    if (caller.number !== lease.number) {
      this.#world.violate('I2', `caller ${caller.id} has lease ${lease.number}, of which no event told`)
    }
    this.#served(caller, lease)
  }

  #wasRefused(caller: Caller, error: unknown): void {
    this.#world.log('refused', caller.id, error instanceof Error ? error.constructor.name : 'nothing')
    if (caller.number !== undefined) {
      this.#world.violate('I2', `caller ${caller.id} is refused though lease ${caller.number} is its own`)
    }
    this.#settled(caller)
    const reason = this.#wrongReason(caller, error)
    if (reason !== undefined) this.#world.violate('I2', `caller ${caller.id} is refused ${reason}: ${error}`)
  }

  #settled(caller: Caller): void {
    this.pending.delete(caller.id)
    if (caller.signal?.listener !== undefined) {
      this.#world.violate('I9', `the pool still listens to the signal of caller ${caller.id}`)
    }
  }

  /** What speaks against this error; undefined where it is as it must be. */
  #wrongReason(caller: Caller, error: unknown): string | undefined {
    const { signal } = caller
    if (signal?.aborted && error === signal.reason) return undefined
    if (error instanceof PoolTimeoutError) {
      if (error.message.includes('hookTimeout')) return undefined
      this.timedOut++
      if (!this.#model.isCause(error.cause)) return 'for a failure that is not the last'
      return this.#world.clock.now() >= caller.deadline ? undefined : 'before its time'
    }
    if (error instanceof PoolOverloadedError) {
      this.overloaded++
      const isWrong =
        caller.isTooMany === false || this.#world.settings.maxWaiting === Number.POSITIVE_INFINITY
      return isWrong ? 'though it may wait' : undefined
    }
    if (caller.isTooMany && caller.timeout >= 0) return 'though maxWaiting were there before'
    if (error instanceof PoolClosedError) {
      const { phase, closeBy } = this.#model
      const isOver = phase === 'terminating' || phase === 'closed' || this.#world.clock.now() >= closeBy
      return caller.isLate || isOver ? undefined : 'though it asked before the end'
    }
    if (error instanceof InterfaceError) return caller.timeout < 0 ? undefined : 'for no misuse'
    return error instanceof SimulatedError ? this.#wrongFault(caller, error) : 'for no reason'
  }

  /** R4: faults of the server's reach a caller only where they are for good, or concern its own connection. */
  #wrongFault(caller: Caller, error: SimulatedError): string | undefined {
    if (error.isPermanent || caller.isChosen || this.#pool.isClosing) return undefined
    if (this.#world.plan.hasMuteCallers) return undefined
    return 'for a fault that may pass'
  }
}
