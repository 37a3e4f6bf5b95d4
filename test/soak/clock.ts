/** Milliseconds on a clock that all processes of one machine share, and that nobody sets. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

const tick = 20

/**
 * How long this process did not get to run, in all: what it owes to nobody else. A stalled event loop, a frozen process
 * and a busy machine look alike from inside.
 */
export class Lag {
  #lost = 0
  #last = now()
  readonly #timer = setInterval(() => this.#look(), tick)

  /** Grows; the difference between two moments is what was lost between them. */
  get lost(): number {
    this.#look()
    return this.#lost
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const at = now()
    this.#lost += Math.max(0, at - this.#last - tick)
    this.#last = at
  }
}
