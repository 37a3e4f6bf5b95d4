import type { Clock, Timer } from '../../src/deadline.ts'

interface Entry {
  readonly at: number
  /** Undefined once it was cancelled. */
  fire: (() => void) | undefined
}

/** Time that moves only when the simulation says so. What is due together fires in the order in which it was set. */
export class SimulatedClock implements Clock {
  /** The next to fire is the last. */
  readonly #entries: Entry[] = []
  #now = 0
  /** The timers that the pool has set. */
  timers = 0

  now(): number {
    return this.#now
  }

  setTimer(ms: number, fire: () => void): Timer {
    this.timers++
    const entry = this.#add(ms, () => {
      this.timers--
      fire()
    })
    return {
      cancel: () => {
        if (entry.fire === undefined) return
        entry.fire = undefined
        this.timers--
      },
    }
  }

  /** What the world does by itself in `ms` milliseconds. */
  after(ms: number, happen: () => void): void {
    this.#add(ms, happen)
  }

  /** Whether a timer is due that has not fired: while the event loop is blocked, and just after. */
  get isBehind(): boolean {
    return this.next <= this.#now
  }

  /** When something is due next, `Infinity` where nothing is. */
  get next(): number {
    for (let last = this.#entries.at(-1); last !== undefined; last = this.#entries.at(-1)) {
      if (last.fire !== undefined) return last.at
      this.#entries.pop()
    }
    return Number.POSITIVE_INFINITY
  }

  /** Goes on to what is due next, no further than `end`, and has it happen; false: there was nothing. */
  fireNext(end: number): boolean {
    if (this.next > end) return false
    const entry = this.#entries.pop()!
    const { fire } = entry
    this.#now = Math.max(this.#now, entry.at)
    entry.fire = undefined
    fire?.()
    return true
  }

  /** Goes on to `end`, where nothing is due on the way. */
  goOn(end: number): void {
    if (end < Number.POSITIVE_INFINITY) this.#now = Math.max(this.#now, end)
  }

  /** Time passes, and nothing that is due on the way gets to fire. */
  stall(ms: number): void {
    this.#now += ms
  }

  #add(ms: number, fire: () => void): Entry {
    const entry: Entry = { at: this.#now + ms, fire }
    const entries = this.#entries
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (entries[middle]!.at > entry.at) low = middle + 1
      else high = middle
    }
    entries.splice(low, 0, entry)
    return entry
  }
}
