import type { Timer } from '../deadline.ts'
import { PoolClosedError } from '../errors.ts'
import type { PoolCore } from './core.ts'
import { deferred } from './deferred.ts'
import { closeTakesLong, closeTimedOut } from './exhaustion.ts'
import type { Growth } from './growth.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { Retirement } from './retirement.ts'

/** After so many milliseconds a close that still waits is reported. */
const warnAfter = 60_000

export function poolClosed(): PoolClosedError {
  return new PoolClosedError(
    'the pool is closing or closed and gives out no more connections; make another pool',
  )
}

/** The two ways in which a pool ends: `closing` waits for what is in use, `terminating` does not. */
export class Shutdown<C> {
  readonly #core: PoolCore<C>
  readonly #retirement: Retirement<C>
  readonly #growth: Growth<C>
  readonly #housekeeping: Housekeeping<C>
  readonly #gone = deferred<void>()
  #closed: Promise<void> | undefined
  readonly #timers: Timer[] = []

  constructor(
    core: PoolCore<C>,
    retirement: Retirement<C>,
    growth: Growth<C>,
    housekeeping: Housekeeping<C>,
  ) {
    this.#core = core
    this.#retirement = retirement
    this.#growth = growth
    this.#housekeeping = housekeeping
  }

  get hasBegun(): boolean {
    const { phase } = this.#core
    return phase === 'closing' || phase === 'terminating' || phase === 'closed'
  }

  /** `timeout` in milliseconds, 0 without; that of the first call counts. */
  close(timeout: number): Promise<void> {
    if (!this.hasBegun) this.#begin(timeout)
    return this.#closed ?? this.#gone.promise
  }

  terminate(): Promise<void> {
    const { phase, queue, slots, clock, pump } = this.#core
    if (phase === 'terminating' || phase === 'closed') return this.#gone.promise
    this.#core.phase = 'terminating'
    queue.refuseAll(poolClosed())
    for (const slot of slots.all()) {
      switch (slot.state) {
        case 'terminating':
          break
        case 'connecting':
          this.#growth.abort(slot)
          break
        case 'closing':
          this.#retirement.hasten(slot)
          break
        default:
          this.#retirement.retire(slot, 'terminated', 'terminating', poolClosed())
      }
    }
    pump(clock.now())
    return this.#gone.promise
  }

  /** Lets go what nobody needs any more, and ends the pool where nothing is left. */
  progress(): void {
    const { phase, queue, slots } = this.#core
    if (queue.length > 0) return
    if (phase === 'closing') {
      for (const slot of slots.all()) {
        if (slot.state === 'connecting') this.#growth.abort(slot)
        else if (slot.state === 'idle' || slot.state === 'checking') {
          this.#retirement.retire(slot, 'poolClosed', 'closing')
        }
      }
    }
    if (slots.taken === 0) this.#finish()
  }

  #begin(timeout: number): void {
    const core = this.#core
    const { clock, events, pump } = core
    let timedOut: Error | undefined
    core.phase = 'closing'
    this.#timers.push(
      clock.setTimer(warnAfter, () => events.warn(closeTakesLong(core, warnAfter, clock.now()))),
    )
    if (timeout > 0) {
      this.#timers.push(
        clock.setTimer(timeout, () => {
          timedOut = closeTimedOut(core, timeout, clock.now())
          this.terminate()
        }),
      )
    }
    // Before the pump: a listener may call close from within it.
    this.#closed = this.#gone.promise.then(() => {
      if (timedOut !== undefined) throw timedOut
    })
    pump(clock.now())
  }

  #finish(): void {
    const { queue } = this.#core
    this.#core.phase = 'closed'
    for (const timer of this.#timers) timer.cancel()
    queue.stop()
    this.#growth.stop()
    this.#housekeeping.stop()
    this.#core.leaks?.stop()
    this.#gone.resolve()
  }
}
