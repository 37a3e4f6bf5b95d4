/** The first delay after a failure, in milliseconds; each further one is twice as long. */
const firstDelay = 50
/** With this as the longest, the first success comes well within a second of the server's accepting again. */
const longestDelay = 500
/** A success that holds for so long, in milliseconds, makes the failures before it forgotten. */
export const steadyAfter = 1_000

/**
 * How many connects may be under way, by how the last ones went. While the server is not known to accept
 * connections it is tried by one at a time: at the start, and after each delay. So the attempts depend on time
 * alone, however many callers wait.
 */
export class BackOff {
  #failures = 0
  /** When to try again; undefined: the last attempt succeeded. */
  #retryAt: number | undefined = 0
  #succeededAt = 0
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** When an attempt is allowed again after the last failure; undefined: the last attempt succeeded. */
  get waitsUntil(): number | undefined {
    return this.#retryAt
  }

  /** How many may be under way at `now`. */
  allowance(now: number): number {
    if (this.#retryAt === undefined) return Number.POSITIVE_INFINITY
    return now < this.#retryAt ? 0 : 1
  }

  /** An attempt that was begun before the last failure says nothing about the time after it. */
  succeeded(begunAt: number, now: number): void {
    if (this.#retryAt !== undefined && begunAt < this.#retryAt) return
    this.#retryAt = undefined
    this.#succeededAt = now
  }

  /** Returns when to try again. What fails side by side counts once. */
  failed(now: number): number {
    if (this.#retryAt === undefined) {
      if (now - this.#succeededAt >= steadyAfter) this.#failures = 0
    } else if (now < this.#retryAt) {
      return this.#retryAt
    }
    const delay = Math.min(longestDelay, firstDelay * 2 ** this.#failures)
    this.#failures++
    this.#retryAt = now + delay * (0.5 + this.#random() / 2)
    return this.#retryAt
  }
}
