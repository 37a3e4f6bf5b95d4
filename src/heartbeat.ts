import { SimpleCommand } from './connection/commands/simple-command.ts'
import { noLimits, type Session } from './connection/session.ts'
import { type Clock, type Timer, withDeadline } from './deadline.ts'
import { formatDuration } from './duration.ts'
import { ConnectionLostError } from './errors.ts'

/**
 * Asks a session that only listens, again and again, whether it is alive: a network that swallows everything is
 * noticed by nothing else.
 */
export class Heartbeat {
  readonly #session: Session
  readonly #clock: Clock
  readonly #dead: (error: unknown) => void
  #interval = 0
  #timer: Timer | undefined

  /** `dead` is called where an answer takes as long as the interval, or is a failure. */
  constructor(session: Session, clock: Clock, dead: (error: unknown) => void) {
    this.#session = session
    this.#clock = clock
    this.#dead = dead
  }

  /** Beats every `interval` milliseconds from now on; 0: not at all. */
  set interval(interval: number) {
    if (interval === this.#interval) return
    this.#interval = interval
    this.#schedule()
  }

  stop(): void {
    this.#interval = 0
    this.#timer?.cancel()
  }

  #schedule(): void {
    this.#timer?.cancel()
    if (this.#interval > 0) this.#timer = this.#clock.setTimer(this.#interval, () => this.#beat())
  }

  #beat(): void {
    const limit = this.#interval
    const answer = this.#session.runUncounted(new SimpleCommand(this.#session, ''), noLimits)
    withDeadline(this.#clock, limit, answer, () => {
      return new ConnectionLostError(`the server did not answer a heartbeat within ${formatDuration(limit)}`)
    }).then(
      () => this.#schedule(),
      (error: unknown) => this.#dead(error),
    )
  }
}
