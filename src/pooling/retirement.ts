import { formatDuration } from '../duration.ts'
import { PoolTimeoutError } from '../errors.ts'
import type { PoolCore } from './core.ts'
import type { Slot } from './slot.ts'
import type { CloseReason } from './stats.ts'

/** How a connection goes: with a goodbye, or at once. */
export type Manner = 'closing' | 'terminating'

/** How connections leave. A slot is free again when its connection is gone, or was given up after `closeTimeout`. */
export class Retirement<C> {
  readonly #core: PoolCore<C>

  constructor(core: PoolCore<C>) {
    this.#core = core
  }

  /**
   * Closes an open connection, whatever its state, and rejects the caller that it is being prepared for with
   * `error`. Who calls this has to pump.
   */
  retire(slot: Slot<C>, reason: CloseReason, manner: Manner, error?: unknown): void {
    const { totals, queue, events } = this.#core
    const { connection, caller } = slot
    slot.caller = undefined
    totals.closed[reason]++
    this.#leave(slot, manner)
    if (caller !== undefined) queue.refuse(caller, error)
    events.emit('close', { connection, reason, error })
  }

  /** Ends a goodbye that is under way. */
  hasten(slot: Slot<C>): void {
    this.#leave(slot, 'terminating')
  }

  /** The slot holds nothing any more. */
  vacate(slot: Slot<C>): void {
    const { slots, clock, pump } = this.#core
    slots.move(slot, 'free')
    pump(clock.now())
  }

  #leave(slot: Slot<C>, manner: Manner): void {
    const { connector, settings, slots, events } = this.#core
    const { closeTimeout } = settings
    slots.during(
      slot,
      manner,
      closeTimeout,
      () => (manner === 'closing' ? connector.close(slot.connection) : connector.terminate(slot.connection)),
      () =>
        new PoolTimeoutError(
          `the connection did not go within closeTimeout (${formatDuration(closeTimeout)})`,
        ),
      (failure) => {
        if (failure === undefined) {
          this.vacate(slot)
        } else if (manner === 'closing') {
          this.#leave(slot, 'terminating')
        } else {
          events.warn('a connection could not be terminated and was given up', failure.error)
          this.vacate(slot)
        }
      },
    )
  }
}
