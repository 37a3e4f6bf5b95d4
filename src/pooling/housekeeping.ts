import { Alarm } from './alarm.ts'
import type { PoolCore } from './core.ts'
import type { Retirement } from './retirement.ts'
import type { Slot } from './slot.ts'

/** Ends the idle connections whose time has come, under one timer. Those in use are looked at when they come back. */
export class Housekeeping<C> {
  readonly #core: PoolCore<C>
  readonly #retirement: Retirement<C>
  readonly #alarm: Alarm

  constructor(core: PoolCore<C>, retirement: Retirement<C>) {
    this.#core = core
    this.#retirement = retirement
    this.#alarm = new Alarm(core.clock, (now) => {
      this.#inspect(now)
      core.pump(now)
    })
  }

  /** Starts the lives of a connection that was opened just now. */
  opened(slot: Slot<C>, now: number): void {
    const { settings, random } = this.#core
    slot.openedAt = now
    if (settings.maxLifetime > 0) slot.retireAt = now + settings.maxLifetime * (0.9 + 0.2 * random())
    this.used(slot, now)
  }

  /** Counts the time without use, and without a sign of life, from now. */
  used(slot: Slot<C>, now: number): void {
    const { maxInactiveConnectionLifetime } = this.#core.settings
    slot.provenAt = now
    if (maxInactiveConnectionLifetime > 0) slot.idleUntil = now + maxInactiveConnectionLifetime
  }

  /** Sees to a connection on the idle stack. */
  watch(slot: Slot<C>, now: number): void {
    this.#alarm.by(Math.min(slot.idleUntil, slot.retireAt), now)
  }

  stop(): void {
    this.#alarm.clear()
  }

  #inspect(now: number): void {
    const { slots } = this.#core
    for (const slot of [...slots.idle]) {
      if (slot.state !== 'idle') continue
      if (now >= slot.retireAt) this.#retirement.retire(slot, 'maxLifetime', 'closing')
      else if (now < slot.idleUntil) this.watch(slot, now)
      else this.#outlived(slot, now)
    }
  }

  /** What the floor keeps is looked at again one lifetime later, so that a pool at its floor rings seldom. */
  #outlived(slot: Slot<C>, now: number): void {
    const { slots, minSize, settings } = this.#core
    if (slots.open > minSize) {
      this.#retirement.retire(slot, 'idle', 'closing')
    } else {
      slot.idleUntil = now + settings.maxInactiveConnectionLifetime
      this.watch(slot, now)
    }
  }
}
