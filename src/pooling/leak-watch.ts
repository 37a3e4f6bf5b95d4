import type { Clock } from '../deadline.ts'
import { Alarm } from './alarm.ts'
import type { Events } from './events.ts'
import type { Lease } from './lease.ts'

/** Reports the hand-outs that last longer than `threshold` milliseconds: once, and again when they end. */
export class LeakWatch<C> {
  readonly #threshold: number
  readonly #clock: Clock
  readonly #events: Events<C>
  readonly #alarm: Alarm
  /** Not reported yet; the oldest first, so that the first is the next to be due. */
  readonly #lasting = new Set<Lease<C>>()
  readonly #reported = new Set<Lease<C>>()

  constructor(threshold: number, clock: Clock, events: Events<C>) {
    this.#threshold = threshold
    this.#clock = clock
    this.#events = events
    this.#alarm = new Alarm(clock, (now) => this.#report(now))
  }

  begun(lease: Lease<C>): void {
    this.#lasting.add(lease)
    this.#alarm.by(lease.acquiredAt + this.#threshold, lease.acquiredAt)
  }

  ended(lease: Lease<C>): void {
    if (!this.#lasting.delete(lease) && this.#reported.delete(lease)) this.#tell(lease, true)
  }

  /** Nothing is reported from now on but the end of what was. */
  stop(): void {
    this.#alarm.clear()
    this.#lasting.clear()
  }

  #report(now: number): void {
    for (const lease of this.#lasting) {
      const due = lease.acquiredAt + this.#threshold
      if (due > now) {
        this.#alarm.by(due, now)
        break
      }
      this.#lasting.delete(lease)
      this.#reported.add(lease)
      this.#tell(lease, false)
    }
  }

  #tell(lease: Lease<C>, returned: boolean): void {
    const { connection, number, holder, acquiredAt } = lease
    const held = this.#clock.now() - acquiredAt
    this.#events.emit('leak', { connection, number, stack: holder, held, returned })
  }
}
