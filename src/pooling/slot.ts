import type { Clock, Timer } from '../deadline.ts'
import type { Lease } from './lease.ts'
import { type Linked, LinkedList } from './linked-list.ts'
import type { Waiter } from './wait-queue.ts'

/**
 * What happens to a slot:
 *
 * - `free`: room for a connection;
 * - `connecting`: one is being opened;
 * - `idle`: open, nobody's, on the idle stack;
 * - `checking`: tested for life before a hand-out;
 * - `preparing`: chosen for `caller`, its `setup` runs;
 * - `leased`: in use, by `lease`;
 * - `resetting`: given back, its reset runs;
 * - `closing`: it said goodbye and waits for the server;
 * - `terminating`: it is being destroyed.
 */
export type SlotState =
  | 'free'
  | 'connecting'
  | 'idle'
  | 'checking'
  | 'preparing'
  | 'leased'
  | 'resetting'
  | 'closing'
  | 'terminating'

/** Holds a connection that is open, or about to be. */
function isStaying(state: SlotState): boolean {
  return state !== 'free' && state !== 'closing' && state !== 'terminating'
}

/**
 * Whatever stays may be handed out, which follows itself where a release goes straight to the next caller, and may die or
 * be ended. Asked at each hand-out: a switch takes a fraction of what it takes to look up a table by name.
 */
function mayFollow(from: SlotState, to: SlotState): boolean {
  switch (to) {
    case 'leased':
    case 'preparing':
    case 'closing':
      return isStaying(from)
    case 'idle':
      return isStaying(from) && from !== 'idle'
    case 'checking':
      return from === 'idle'
    case 'resetting':
      return from === 'leased' || from === 'preparing'
    case 'terminating':
      return isStaying(from) || from === 'closing'
    case 'free':
      return from === 'connecting' || from === 'closing' || from === 'terminating'
    case 'connecting':
      return from === 'free'
  }
}

/** One unit of the pool's capacity for as long as one connection takes it up, from the connect to the end of the close. */
export class Slot<C> implements Linked<Slot<C>> {
  /** Written by `SlotTable.move` alone. */
  state: SlotState = 'free'
  /** There once `connecting` has ended well. */
  connection!: C
  /** Which `expire` came before its connect. */
  readonly generation: number
  /** Aborts the connect; gone with it, as it takes more than all else here. */
  abort: AbortController | undefined = new AbortController()
  /** Set where the connection died before its connect was seen to end. */
  loss: Error | undefined
  openedAt = 0
  /** When `maxLifetime` ends, `Infinity` without one. */
  retireAt = Number.POSITIVE_INFINITY
  /** When `maxInactiveConnectionLifetime` ends, should it stay unused; `Infinity` without one. */
  idleUntil = Number.POSITIVE_INFINITY
  /** When it was last known to be alive. */
  provenAt = 0
  /** The latest hand-out; it stands after its end, too. */
  lease: Lease<C> | undefined
  /** Whom it is being prepared for. */
  caller: Waiter<C> | undefined
  /** Limits the present state; every move ends it. */
  timer: Timer | undefined
  previous: Slot<C> | undefined
  next: Slot<C> | undefined

  constructor(generation: number) {
    this.generation = generation
  }
}

/** How a step on a connection failed: `hung` where its time ran out, so that nothing more can be expected of it. */
export interface Failure {
  error: unknown
  hung: boolean
}

/** Calls `work`; what it throws is a rejection. */
export function attempt<T>(work: () => Promise<T>): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}

/** Written out by state for the same reason. */
class SlotCounts implements Record<SlotState, number> {
  free = 0
  connecting = 0
  idle = 0
  checking = 0
  preparing = 0
  leased = 0
  resetting = 0
  closing = 0
  terminating = 0

  add(state: SlotState, slots: number): void {
    switch (state) {
      case 'free':
        this.free += slots
        break
      case 'connecting':
        this.connecting += slots
        break
      case 'idle':
        this.idle += slots
        break
      case 'checking':
        this.checking += slots
        break
      case 'preparing':
        this.preparing += slots
        break
      case 'leased':
        this.leased += slots
        break
      case 'resetting':
        this.resetting += slots
        break
      case 'closing':
        this.closing += slots
        break
      case 'terminating':
        this.terminating += slots
    }
  }
}

/** The slots in use and how many there are in each state. free + all others = capacity, at every moment. */
export class SlotTable<C> {
  /** The most recently used is the last. Holds the slots in state `idle`, and these only. */
  readonly idle = new LinkedList<Slot<C>>()
  readonly #counts = new SlotCounts()
  readonly #taken = new Set<Slot<C>>()
  readonly #clock: Clock
  readonly #rested: ((connection: C, isIdle: boolean) => void) | undefined
  #capacity: number

  /** `rested` hears, where it is there, of each connection that gets on the idle stack or leaves it. */
  constructor(clock: Clock, capacity: number, rested?: (connection: C, isIdle: boolean) => void) {
    this.#clock = clock
    this.#rested = rested
    this.#capacity = capacity
    this.#counts.free = capacity
  }

  /** `free` is negative while a lowered capacity is exceeded by connections that have yet to come back. */
  get counts(): Readonly<Record<SlotState, number>> {
    return this.#counts
  }

  get capacity(): number {
    return this.#capacity
  }

  set capacity(capacity: number) {
    this.#counts.free += capacity - this.#capacity
    this.#capacity = capacity
  }

  /** Slots that are not free. */
  get taken(): number {
    return this.#taken.size
  }

  /** Connections that stay or are about to come: all but those that are leaving. */
  get staying(): number {
    return this.taken - this.#counts.closing - this.#counts.terminating
  }

  /** Connections that are open, in use or not. */
  get open(): number {
    return this.staying - this.#counts.connecting
  }

  /** A copy: it may be walked while slots move. */
  all(): Slot<C>[] {
    return [...this.#taken]
  }

  /** The one transition. What belongs to the old state (its timer, its place on the idle stack) ends here. */
  move(slot: Slot<C>, to: SlotState): void {
    const from = slot.state
    if (!mayFollow(from, to)) throw new Error(`a slot cannot go from ${from} to ${to}`)
    if (slot.timer !== undefined) {
      slot.timer.cancel()
      slot.timer = undefined
    }
    if (from === 'idle') {
      this.idle.remove(slot)
      this.#rested?.(slot.connection, false)
    } else if (from === 'free') this.#taken.add(slot)
    this.#counts.add(from, -1)
    this.#counts.add(to, 1)
    slot.state = to
    if (to === 'idle') {
      this.idle.push(slot)
      this.#rested?.(slot.connection, true)
    } else if (to === 'free') this.#taken.delete(slot)
  }

  /** Calls `expired` where the slot does not leave its present state within `ms` (0: no limit). */
  limit(slot: Slot<C>, ms: number, expired: () => void): void {
    if (ms > 0) slot.timer = this.#clock.setTimer(ms, expired)
  }

  /**
   * Moves the slot to a state that lasts as long as `work`, at most `ms`. `ended` is called once, and has to move
   * the slot on; it is not called where something else did.
   */
  during(
    slot: Slot<C>,
    state: SlotState,
    ms: number,
    work: () => Promise<void>,
    expired: () => Error,
    ended: (failure?: Failure) => void,
  ): void {
    this.move(slot, state)
    this.limit(slot, ms, () => ended({ error: expired(), hung: true }))
    attempt(work).then(
      () => {
        if (slot.state === state) ended()
      },
      (error: unknown) => {
        if (slot.state === state) ended({ error, hung: false })
      },
    )
  }
}
