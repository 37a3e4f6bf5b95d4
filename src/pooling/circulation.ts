import { formatDuration } from '../duration.ts'
import { PoolTimeoutError } from '../errors.ts'
import type { PoolCore } from './core.ts'
import type { Housekeeping } from './housekeeping.ts'
import { Lease, type Lessor } from './lease.ts'
import type { Retirement } from './retirement.ts'
import type { Failure, Slot } from './slot.ts'
import type { CloseReason } from './stats.ts'
import type { Waiter } from './wait-queue.ts'

/** How open connections go round: to the first waiter or on the idle stack, through check and setup, and back through reset. */
export class Circulation<C> implements Lessor<C> {
  readonly #core: PoolCore<C>
  readonly #retirement: Retirement<C>
  readonly #housekeeping: Housekeeping<C>
  /** Without a sign of life for longer than this, in milliseconds, an idle connection is checked before it is handed out. */
  readonly #staleAfter: number
  #leases = 0

  constructor(core: PoolCore<C>, retirement: Retirement<C>, housekeeping: Housekeeping<C>) {
    this.#core = core
    this.#retirement = retirement
    this.#housekeeping = housekeeping
    const { checkIdleAfter } = core.settings
    if (checkIdleAfter === 'always') this.#staleAfter = -1
    else this.#staleAfter = checkIdleAfter > 0 ? checkIdleAfter : Number.POSITIVE_INFINITY
  }

  /** Leases the most recently used connection where one may be handed out as it is, in this very turn. */
  tryLease(now: number, holder: string | undefined): Lease<C> | undefined {
    const { slots, connector } = this.#core
    const slot = slots.idle.last
    if (slot === undefined || connector.prepare !== undefined || !this.#isReady(slot, now)) return undefined
    const lease = this.#lease(slot, now, holder)
    this.#announce(lease, 0)
    return lease
  }

  /** Serves those who wait from the idle stack. A check under way counts for one of them. */
  dispatch(now: number): void {
    const core = this.#core
    const { slots, queue } = core
    // Asked anew each time: a listener, or `setup`, may have suspended the pool.
    while (core.serves && queue.length > slots.counts.checking) {
      const slot = slots.idle.last
      if (slot === undefined) return
      if (this.#isReady(slot, now)) {
        this.#handOut(slot, queue.first!, now)
        continue
      }
      const reason = this.#reasonToGo(slot, now)
      if (reason === undefined) this.#check(slot)
      else this.#retirement.retire(slot, reason, 'closing')
    }
  }

  /** Finds a place for a connection that is usable and nobody's. Who calls this has to pump. */
  offer(slot: Slot<C>, now: number): void {
    const { slots, queue, serves } = this.#core
    const reason = this.#reasonToGo(slot, now)
    const waiter = serves ? queue.first : undefined
    if (reason !== undefined) {
      this.#retirement.retire(slot, reason, 'closing')
    } else if (waiter !== undefined) {
      this.#handOut(slot, waiter, now)
    } else {
      slots.move(slot, 'idle')
      this.#housekeeping.watch(slot, now)
    }
  }

  /** Ends a lease. A connection that died or was terminated meanwhile is no longer there to be taken. */
  takeBack(slot: Slot<C>, lease: Lease<C>): void {
    const { clock, events, leaks, pump } = this.#core
    const now = clock.now()
    leaks?.ended(lease)
    if (events.listeners.release.length > 0) {
      const { connection, number, holder, acquiredAt } = lease
      events.emit('release', { connection, number, holder, held: now - acquiredAt })
    }
    if (slot.state !== 'leased') return
    this.#restore(slot, now)
    pump(now)
  }

  /** An idle one may have been expired in this very turn: a listener to the end of another asks before `expire` got to it. */
  #isReady(slot: Slot<C>, now: number): boolean {
    const isCurrent = slot.generation === this.#core.generation
    return isCurrent && now - slot.provenAt <= this.#staleAfter && now < slot.retireAt
  }

  #reasonToGo(slot: Slot<C>, now: number): CloseReason | undefined {
    const { slots, queue, generation, phase } = this.#core
    if (slot.generation !== generation) return 'expired'
    if (now >= slot.retireAt) return 'maxLifetime'
    if (slots.staying > slots.capacity) return 'resized'
    if (phase === 'closing' && queue.length === 0) return 'poolClosed'
    return undefined
  }

  #lease(slot: Slot<C>, now: number, holder: string | undefined): Lease<C> {
    const { slots, totals } = this.#core
    slots.move(slot, 'leased')
    const lease = new Lease(this, slot, ++this.#leases, now, holder)
    slot.lease = lease
    totals.acquired++
    this.#core.leaks?.begun(lease)
    return lease
  }

  #announce({ connection, number, holder }: Lease<C>, waited: number): void {
    const { events } = this.#core
    if (events.listeners.acquire.length > 0) events.emit('acquire', { connection, number, holder, waited })
  }

  #check(slot: Slot<C>): void {
    const core = this.#core
    const { slots, connector, settings, clock, pump } = core
    slots.during(
      slot,
      'checking',
      settings.checkTimeout,
      () => connector.check(slot.connection),
      () => overdue('the liveness check', 'checkTimeout', settings.checkTimeout),
      (failure) => {
        const now = clock.now()
        if (failure === undefined) {
          core.failedChecks = 0
          slot.provenAt = now
          this.offer(slot, now)
        } else {
          core.failedChecks++
          this.#retirement.retire(slot, 'checkFailed', 'terminating', failure.error)
        }
        pump(now)
      },
    )
  }

  #handOut(slot: Slot<C>, waiter: Waiter<C>, now: number): void {
    if (this.#core.connector.prepare === undefined) this.#serve(slot, waiter, now)
    else this.#prepare(slot, waiter)
  }

  #serve(slot: Slot<C>, waiter: Waiter<C>, now: number): void {
    const lease = this.#lease(slot, now, waiter.holder)
    this.#core.queue.serve(waiter, lease)
    this.#announce(lease, now - waiter.since)
  }

  /** A caller that leaves meanwhile is not missed: its connection is restored as if it had been used. */
  #prepare(slot: Slot<C>, waiter: Waiter<C>): void {
    const { slots, queue, connector, settings, clock, pump } = this.#core
    queue.choose(waiter)
    slot.caller = waiter
    slots.during(
      slot,
      'preparing',
      settings.hookTimeout,
      () => connector.prepare!(slot.connection),
      () => overdue('the setup hook', 'hookTimeout', settings.hookTimeout),
      (failure) => {
        const now = clock.now()
        if (failure !== undefined) {
          this.#discard(slot, 'prepareFailed', failure)
        } else {
          slot.caller = undefined
          if (waiter.state === 'settled') this.#restore(slot, now)
          else this.#serve(slot, waiter, now)
        }
        pump(now)
      },
    )
  }

  /** Makes a connection that was in use fit for the next caller, unless it has to go. */
  #restore(slot: Slot<C>, now: number): void {
    const { connector, settings } = this.#core
    const { maxQueries } = settings
    const isWorn = maxQueries > 0 && connector.commands(slot.connection) >= maxQueries
    const isEnded = connector.isEnded?.(slot.connection)
    const reason = isEnded ? 'byUser' : isWorn ? 'maxQueries' : this.#reasonToGo(slot, now)
    if (reason !== undefined) this.#retirement.retire(slot, reason, 'closing')
    else this.#reset(slot, now)
  }

  #reset(slot: Slot<C>, now: number): void {
    const { connector } = this.#core
    const { state } = slot
    this.#housekeeping.used(slot, now)
    let pending: Promise<void> | undefined
    try {
      pending = connector.reset(slot.connection)
    } catch (error) {
      pending = Promise.reject(error)
    }
    // The reset itself may have found the connection dead.
    if (slot.state !== state) pending?.catch(() => {})
    else if (pending === undefined) this.offer(slot, now)
    else this.#awaitReset(slot, pending)
  }

  #awaitReset(slot: Slot<C>, pending: Promise<void>): void {
    const { slots, settings, clock, pump } = this.#core
    slots.during(
      slot,
      'resetting',
      settings.hookTimeout,
      () => pending,
      () => overdue('the reset', 'hookTimeout', settings.hookTimeout),
      (failure) => {
        const now = clock.now()
        if (failure === undefined) {
          slot.provenAt = now
          this.offer(slot, now)
        } else {
          this.#discard(slot, 'resetFailed', failure)
        }
        pump(now)
      },
    )
  }

  /** On a connection that hangs a goodbye would wait behind what hangs. */
  #discard(slot: Slot<C>, reason: CloseReason, { error, hung }: Failure): void {
    this.#retirement.retire(slot, reason, hung ? 'terminating' : 'closing', error)
  }
}

function overdue(what: string, option: string, ms: number): PoolTimeoutError {
  return new PoolTimeoutError(
    `${what} took longer than ${option} (${formatDuration(ms)}); its connection was closed`,
  )
}
