import type { Clock, Timer } from '../deadline.ts'

/**
 * One timer that rings at the earliest time it was asked for since it last rang. It is never set back: who asks
 * looks, when it rings, what is due by then and asks anew. So a time that is no longer needed costs at most one
 * idle ring, and asking for a later one costs a comparison.
 */
export class Alarm {
  #at = Number.POSITIVE_INFINITY
  #timer: Timer | undefined
  readonly #clock: Clock
  readonly #ring: (now: number) => void

  constructor(clock: Clock, ring: (now: number) => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at `at` or before; `Infinity` asks for nothing. */
  by(at: number, now: number): void {
    if (at >= this.#at) return
    this.#timer?.cancel()
    this.#at = at
    this.#timer = this.#clock.setTimer(Math.max(0, at - now), () => {
      this.#at = Number.POSITIVE_INFINITY
      this.#timer = undefined
      this.#ring(this.#clock.now())
    })
  }

  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#at = Number.POSITIVE_INFINITY
  }
}
