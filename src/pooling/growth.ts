import { PoolClosedError } from '../errors.ts'
import { Alarm } from './alarm.ts'
import { BackOff, steadyAfter } from './back-off.ts'
import type { Circulation } from './circulation.ts'
import type { PoolCore } from './core.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { Retirement } from './retirement.ts'
import { attempt, Slot } from './slot.ts'

/** How connections come: for those who wait and for the floor, a few at a time, and slower while the server is away. */
export class Growth<C> {
  readonly #core: PoolCore<C>
  readonly #retirement: Retirement<C>
  readonly #circulation: Circulation<C>
  readonly #housekeeping: Housekeeping<C>
  readonly #backOff: BackOff
  readonly #alarm: Alarm
  readonly #failed: (error: unknown, permanent: boolean) => void

  /** `failed` hears of each failed connect, and of what counts as one, before the pool is pumped. */
  constructor(
    core: PoolCore<C>,
    retirement: Retirement<C>,
    circulation: Circulation<C>,
    housekeeping: Housekeeping<C>,
    failed: (error: unknown, permanent: boolean) => void,
  ) {
    this.#core = core
    this.#retirement = retirement
    this.#circulation = circulation
    this.#housekeeping = housekeeping
    this.#backOff = new BackOff(core.random)
    this.#alarm = new Alarm(core.clock, core.pump)
    this.#failed = failed
  }

  /** Starts the connects that are needed and allowed now, and comes back when the back-off allows more. */
  grow(now: number): void {
    while (this.#needed() > 0 && this.#allowed(now) > 0) this.#connect(now)
    const { waitsUntil } = this.#backOff
    // The alarm may have rung for an earlier time than the back-off has by now.
    if (waitsUntil !== undefined && waitsUntil > now && this.#needed() > 0) this.#alarm.by(waitsUntil, now)
  }

  /** Gives up a connect that is under way. */
  abort(slot: Slot<C>): void {
    const abort = slot.abort!
    if (abort.signal.aborted) return
    const { slots, settings, events } = this.#core
    slots.limit(slot, settings.closeTimeout, () => {
      events.warn('a connect did not end after its abort and was given up')
      this.#retirement.vacate(slot)
    })
    abort.abort(new PoolClosedError('the pool is closing and needs no further connection'))
  }

  stop(): void {
    this.#alarm.clear()
  }

  /** A connect under way, or a check, counts for the waiter that it may serve; a check counts less after others failed. */
  #needed(): number {
    const { slots, queue, minSize, serves, keepsFloor, failedChecks } = this.#core
    const { connecting, checking } = slots.counts
    const forWaiters = serves ? queue.length - connecting - Math.max(0, checking - failedChecks) : 0
    const forFloor = keepsFloor ? minSize - slots.staying : 0
    return Math.min(Math.max(forWaiters, forFloor), slots.counts.free)
  }

  #allowed(now: number): number {
    const { slots, settings } = this.#core
    return Math.min(settings.connectConcurrency, this.#backOff.allowance(now)) - slots.counts.connecting
  }

  #connect(now: number): void {
    const { connector, slots, generation } = this.#core
    const slot = new Slot<C>(generation)
    slots.move(slot, 'connecting')
    attempt(() =>
      connector.connect((error, reason = 'lost') => this.#lost(slot, error, reason), slot.abort!.signal),
    ).then(
      (connection) => this.#opened(slot, connection, now),
      (error: unknown) => this.#connectFailed(slot, error),
    )
  }

  #opened(slot: Slot<C>, connection: C, begunAt: number): void {
    const core = this.#core
    const { clock, totals, events, connector } = core
    if (slot.state !== 'connecting') {
      attempt(() => connector.terminate(connection)).catch((error: unknown) =>
        events.warn('a connection that came after its connect was given up could not be terminated', error),
      )
      return
    }
    const now = clock.now()
    slot.connection = connection
    this.#housekeeping.opened(slot, now)
    totals.opened++
    core.failedChecks = 0
    core.connectFailure = undefined
    this.#backOff.succeeded(begunAt, now)
    events.emit('open', { connection })
    const wasAborted = slot.abort!.signal.aborted
    slot.abort = undefined
    if (wasAborted) this.#retirement.retire(slot, 'poolClosed', 'terminating')
    else if (slot.loss !== undefined) this.#bury(slot, slot.loss, now)
    else this.#circulation.offer(slot, now)
    core.pump(now)
  }

  #connectFailed(slot: Slot<C>, error: unknown): void {
    const core = this.#core
    const { slots, clock, connector, totals, events, pump } = core
    if (slot.state !== 'connecting') return
    slots.move(slot, 'free')
    const now = clock.now()
    if (!slot.abort!.signal.aborted) {
      const permanent = connector.isPermanent(error)
      totals.connectFailures++
      core.connectFailure = error
      const retryAt = this.#backOff.failed(now)
      events.emit('connectFailed', { error, permanent, retryIn: retryAt - now })
      this.#failed(error, permanent)
    }
    pump(now)
  }

  #lost(slot: Slot<C>, error: Error, reason: 'lost' | 'resetFailed'): void {
    const core = this.#core
    switch (slot.state) {
      case 'free':
      case 'closing':
      case 'terminating':
        return
      case 'connecting':
        slot.loss = error
        return
      case 'checking':
        core.failedChecks++
    }
    const now = core.clock.now()
    this.#bury(slot, error, now, reason)
    core.pump(now)
  }

  /** One that dies young and unused counts as a failed connect, so that a server which drops everybody is not stormed. */
  #bury(slot: Slot<C>, error: Error, now: number, reason: 'lost' | 'resetFailed' = 'lost'): void {
    const isYoung = slot.lease === undefined && now - slot.openedAt < steadyAfter
    if (isYoung) this.#backOff.failed(now)
    this.#retirement.retire(slot, reason, 'terminating', error)
    if (isYoung) this.#failed(error, false)
  }
}
