import type { Clock, Timer } from '../../deadline.ts'

interface Entry {
  at: number
  fire: () => void
}

/** Lets every promise that can settle without a timer or I/O settle. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Time that moves only when the test says so. */
export class VirtualClock implements Clock {
  #now = 0
  /** In the order in which they were set. */
  readonly #timers = new Set<Entry>()
  #timersSet = 0

  /** Milliseconds, from 0. */
  now(): number {
    return this.#now
  }

  setTimer(ms: number, fire: () => void): Timer {
    const entry = { at: this.#now + ms, fire }
    this.#timers.add(entry)
    this.#timersSet++
    return { cancel: () => this.#timers.delete(entry) }
  }

  /** The timers that are set. */
  get timers(): number {
    return this.#timers.size
  }

  /** The timers that were ever set. */
  get timersSet(): number {
    return this.#timersSet
  }

  /** Fires what is due on the way in the order of time, and lets what follows from it happen before time goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.fire()
      await settled()
    }
    this.#now = end
  }

  /** Time passes and no timer gets to fire, as while the event loop is blocked. */
  stall(ms: number): void {
    this.#now += ms
  }

  #next(end: number): Entry | undefined {
    let next: Entry | undefined
    for (const entry of this.#timers) {
      if (entry.at <= end && (next === undefined || entry.at < next.at)) next = entry
    }
    return next
  }
}
