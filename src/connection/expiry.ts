import type { Clock, Timer } from '../deadline.ts'
import type { Pipeline } from '../wire/pipeline.ts'
import type { Command } from './commands/command.ts'

/**
 * The deadlines of a connection's commands under one timer. It is set to the earliest one that is known and not set
 * back: when it rings, it looks which commands are overdue, and what is the earliest then.
 */
export class Expiry {
  readonly #pipeline: Pipeline
  readonly #clock: Clock
  readonly #expired: (command: Command<unknown>) => void
  #timer: Timer | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(pipeline: Pipeline, clock: Clock, expired: (command: Command<unknown>) => void) {
    this.#pipeline = pipeline
    this.#clock = clock
    this.#expired = expired
  }

  watch(deadline: number): void {
    if (deadline >= this.#at) return
    this.stop()
    this.#at = deadline
    this.#timer = this.#clock.setTimer(deadline - this.#clock.now(), () => this.#look())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#at = Number.POSITIVE_INFINITY
  }

  #look(): void {
    this.stop()
    const now = this.#clock.now()
    let earliest = Number.POSITIVE_INFINITY
    for (const request of [...this.#pipeline.requests()]) {
      const command = request as Command<unknown>
      if (!command.isPending) continue
      if (command.deadline <= now) this.#expired(command)
      else earliest = Math.min(earliest, command.deadline)
    }
    if (earliest < Number.POSITIVE_INFINITY) this.watch(earliest)
  }
}
