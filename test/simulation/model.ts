import type { CloseReason } from '../../src/pooling/index.ts'
import { SimulatedConnection, type State } from './connection.ts'
import type { SlotEvent } from './coverage.ts'
import type { World } from './world.ts'

export type Phase = 'new' | 'open' | 'suspended' | 'closing' | 'terminating' | 'closed'

/** A connection that dies unused before it is so old, in milliseconds, counts as a failed connect. */
const youth = 1_000
/** The longest and the shortest delay between attempts while the server is away, in milliseconds. */
const longestDelay = 500
const shortestDelay = 25
/** The longest delay after a success that has held for so long, in milliseconds: what failed before it is forgotten. */
const firstDelay = 50
const steadyAfter = 1_000
/** Sums of fractions of a millisecond. */
export const tolerance = 1e-6

/** The pool as it must be, told by what was asked of it and by what its connector sees; nothing is taken from the pool's own counts. */
export class Model {
  phase: Phase = 'new'
  minSize: number
  maxSize: number
  /** `open` waits for the floor: a failure ends the pool. */
  isStarting = false
  /** The fewest connections that count as its floor. */
  startFloor = 0
  /** A connect has failed meanwhile. */
  startFailed = false
  /** When the close under way gives up waiting; `Infinity`: it does not. */
  closeBy = Number.POSITIVE_INFINITY
  generation = 0
  /** Since when there are more open connections than the floor needs; undefined while there are not. */
  aboveFloorSince: number | undefined
  /** Connections that came after their connect was given up, and were not terminated yet. */
  readonly strays = new Set<SimulatedConnection>()
  /** The connections that take up a slot. */
  readonly taken = new Set<SimulatedConnection>()
  readonly counts: Record<State, number> = {
    connecting: 0,
    idle: 0,
    checking: 0,
    preparing: 0,
    leased: 0,
    resetting: 0,
    closing: 0,
    terminating: 0,
    gone: 0,
  }
  /** Whether the last attempt to connect failed, or none was made yet: then they go one at a time. */
  isProbing = true
  /** Before this nothing may be tried. */
  retryAt = 0
  /** From this on something must be tried. */
  retryBy = 0
  /** Connects that have failed in this turn, of which the pool may not know yet. */
  failedJustNow = 0
  /** Why the last connect failed; undefined once one has succeeded. */
  connectFailure: unknown
  /** Checks that failed since one went well or a connection was opened: each has a connect come beside the next. */
  failedChecks = 0
  opened = 0
  connectFailures = 0
  /** How many were closed, by the reason that was told. */
  readonly closed = new Map<string, number>()
  readonly #world: World
  /** By when each should have ended, in the order in which the pool began to wait for it. */
  readonly #limited = new Map<SimulatedConnection, number>()
  #ids = 0
  #rests = 0
  /** Counts connects and failures. */
  #attempts = 0
  #failedAt = -1
  #succeededAt = 0
  #failureChangedAt = -1

  constructor(world: World) {
    this.#world = world
    this.minSize = world.settings.minSize
    this.maxSize = world.settings.maxSize
  }

  /** Connections that are open, in use or not. */
  get open(): number {
    return this.taken.size - this.counts.connecting - this.counts.closing - this.counts.terminating
  }

  /** Connections that stay or are about to come. */
  get staying(): number {
    return this.open + this.counts.connecting
  }

  get serves(): boolean {
    return this.phase === 'open' || this.phase === 'closing'
  }

  get isEnding(): boolean {
    return this.phase === 'closing' || this.phase === 'terminating' || this.phase === 'closed'
  }

  resize(minSize: number, maxSize: number): void {
    this.minSize = minSize
    this.maxSize = maxSize
    this.startFloor = Math.min(this.startFloor, minSize)
    this.aboveFloorSince = this.open > minSize ? this.#world.clock.now() : undefined
  }

  move(connection: SimulatedConnection, to: State): void {
    const from = connection.state
    const isLeaving = to === 'closing' || to === 'terminating'
    if (isLeaving && from !== 'closing') {
      connection.leftFrom = from
      connection.wasAboveFloor = this.open > this.minSize
      connection.wasAboveMost = this.staying + this.failedJustNow > this.maxSize
    }
    if (from === 'checking' && !isLeaving) this.failedChecks = 0
    this.counts[from]--
    this.counts[to]++
    connection.state = to
    connection.since = this.#world.clock.now()
    if (from === 'connecting' && to === 'gone') this.failedJustNow++
    if (to === 'gone') this.taken.delete(connection)
    else if (from === 'gone') this.taken.add(connection)
    const isAbove = this.open > this.minSize
    if (!isAbove) this.aboveFloorSince = undefined
    else this.aboveFloorSince ??= connection.since
  }

  hit(connection: SimulatedConnection, event: SlotEvent): void {
    this.#world.coverage.hit(connection.state, event)
  }

  /** Something that concerns the pool as a whole: it meets each slot in its state. */
  hitAll(event: SlotEvent): void {
    for (const connection of this.taken) this.hit(connection, event)
  }

  /** The pool calls `connect`; so many callers are in its queue, where that is known. */
  begin(lost: (error: Error) => void, queued: number | undefined): SimulatedConnection {
    const world = this.#world
    const now = world.clock.now()
    const isForFloor = !this.isEnding && this.staying < this.minSize
    if (!isForFloor && queued !== undefined && queued <= this.counts.connecting) {
      world.violate('R4', `a connect for nobody: ${queued} wait, ${this.counts.connecting} are being opened`)
    }
    const connection = new SimulatedConnection(++this.#ids, this.generation, this.#attempts++, lost)
    this.taken.add(connection)
    this.counts.connecting++
    if (this.taken.size > this.maxSize) {
      world.violate('I4', `connect makes ${this.taken.size} of ${this.maxSize} connections`)
    }
    const { connectConcurrency } = world.settings
    const allowed = this.isProbing ? 1 : connectConcurrency
    if (this.counts.connecting > allowed) {
      world.violate('R4', `${this.counts.connecting} connects are under way where ${allowed} may be`)
    }
    if (this.isProbing && now < this.retryAt - tolerance) {
      world.violate('R4', `a connect ${this.retryAt - now} ms before the time to try again`)
    }
    if (this.phase === 'terminating' || this.phase === 'closed' || this.phase === 'new') {
      world.violate('R13', `a connect while the pool is ${this.phase}`)
    }
    return connection
  }

  /** `connection` gets on the idle stack. */
  rest(connection: SimulatedConnection): void {
    this.move(connection, 'idle')
    connection.rest = ++this.#rests
  }

  /** R3: what leaves the idle stack for a caller is what came last. */
  judgeOrder(connection: SimulatedConnection): void {
    for (const other of this.taken) {
      if (other.state === 'idle' && other.rest > connection.rest) {
        this.#world.violate('R3', `connection ${connection.id} goes before ${other.id}, which was used later`)
      }
    }
  }

  /** Whether the connection that was used last is one that may be handed out as it is, in this very turn. */
  get isReady(): boolean {
    const { settings, plan, clock } = this.#world
    if (this.phase !== 'open' || plan.hasPrepare) return false
    let last: SimulatedConnection | undefined
    for (const connection of this.taken) {
      if (connection.state === 'idle' && connection.rest > (last?.rest ?? 0)) last = connection
    }
    if (last === undefined) return false
    const { checkIdleAfter, maxLifetime } = settings
    const now = clock.now()
    const needsCheck =
      checkIdleAfter === 'always' || (checkIdleAfter > 0 && now - last.provenAt > checkIdleAfter)
    return !needsCheck && (maxLifetime === 0 || now - last.openedAt < 0.9 * maxLifetime - tolerance)
  }

  /** The pool says that it has `connection`. */
  succeeded(connection: SimulatedConnection): void {
    const now = this.#world.clock.now()
    this.opened++
    connection.openedAt = now
    connection.usedAt = now
    connection.provenAt = now
    connection.isFit = true
    this.failedChecks = 0
    this.noteFailure(undefined)
    if (connection.begun < this.#failedAt) return
    this.isProbing = false
    this.#succeededAt = now
  }

  /** A connect failed, and the pool says when it tries again. */
  failed(retryIn: number): void {
    const now = this.#world.clock.now()
    if (!(retryIn > 0) || retryIn > longestDelay) {
      this.#world.violate('R2', `the next attempt comes after ${retryIn} ms`)
    }
    if (!this.isProbing && now - this.#succeededAt >= steadyAfter && retryIn > firstDelay) {
      this.#world.violate('R2', `the first attempt after a success that held comes after ${retryIn} ms`)
    }
    this.connectFailures++
    if (this.isStarting) this.startFailed = true
    this.isProbing = true
    this.#failedAt = this.#attempts++
    this.retryAt = now + retryIn
    this.retryBy = Math.max(this.retryBy, now + retryIn)
  }

  /** A connect ended: `failure` is why it failed, undefined where it did not. */
  noteFailure(failure: unknown): void {
    if (failure === this.connectFailure) return
    this.connectFailure = failure
    this.#failureChangedAt = this.#world.clock.now()
  }

  /** R5: whether `cause` is what a caller whose time has run out now has to be told. */
  isCause(cause: unknown): boolean {
    // Of the same moment it cannot be told which came first.
    return this.#failureChangedAt === this.#world.clock.now() || cause === this.connectFailure
  }

  /** `connection` is being closed. */
  left(connection: SimulatedConnection, reason: CloseReason): void {
    const now = this.#world.clock.now()
    this.closed.set(reason, (this.closed.get(reason) ?? 0) + 1)
    if (connection.leftFrom === 'checking') {
      if (reason === 'lost' || reason === 'checkFailed') this.failedChecks++
      else this.failedChecks = 0
    }
    if (reason !== 'lost' || connection.wasLeased || now - connection.openedAt >= youth) return
    // What fails before the time to try again counts no more; that time has come for sure once a connect was begun.
    const wasTriedAgain = this.#attempts > this.#failedAt + 1
    if (!this.isProbing || wasTriedAgain || now >= this.retryBy) this.retryAt = now + shortestDelay
    this.isProbing = true
    this.#failedAt = this.#attempts++
    this.retryBy = Math.max(this.retryBy, now + longestDelay)
  }

  /** From now on the pool may leave `connection` alone where it does not end within `closeTimeout`. */
  limit(connection: SimulatedConnection): void {
    const { settings, clock } = this.#world
    if (settings.closeTimeout === 0) return
    this.#limited.delete(connection)
    this.#limited.set(connection, clock.now() + settings.closeTimeout)
  }

  /** The pool leaves the one alone that was to end first: its timers fire in their order. */
  giveUp(state: State): void {
    for (const [connection, by] of this.#limited) {
      if (connection.state === 'gone') this.#limited.delete(connection)
      if (connection.state !== state) continue
      if (this.#world.clock.now() < by) break
      this.#limited.delete(connection)
      this.hit(connection, 'givenUp')
      this.move(connection, 'gone')
      return
    }
    this.#world.violate('R14', `the pool gives up a connection before its time`)
  }
}
