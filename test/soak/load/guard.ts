import { now } from '../clock.ts'
import { violate } from './link.ts'
import type { Pools } from './pools.ts'
import type { Weather } from './weather.ts'

const every = 50
/** No operation takes longer, whatever happens: each of its calls has a limit. In milliseconds. */
const longestOperation = 30_000

export interface Flight {
  name: string
  since: number
}

/** Looks at what must hold at every moment, between the turns of the event loop. */
export class Guard {
  readonly #pools: Pools
  readonly #weather: Weather
  readonly #lost: () => number
  readonly #flights = new Set<Flight & { lost: number }>()
  readonly #timer = setInterval(() => this.#look(), every)

  constructor(pools: Pools, weather: Weather, lost: () => number) {
    this.#pools = pools
    this.#weather = weather
    this.#lost = lost
  }

  /** Watches an operation until the returned function is called. */
  takeOff(name: string): () => void {
    const flight = { name, since: now(), lost: this.#lost() }
    this.#flights.add(flight)
    return () => this.#flights.delete(flight)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    for (const [name, pool] of this.#pools.all()) {
      const { free, connecting, checking, preparing, idle, leased, resetting, closing, ...stats } =
        pool.stats()
      const slots = free + connecting + checking + preparing + idle + leased + resetting + closing
      if (slots < stats.maxSize) violate('I1', `${name}: ${JSON.stringify(pool.stats())}`)
      const staying = stats.size + connecting
      if (staying < stats.minSize && stats.totals.acquired > 0) {
        const told = `${name} has ${staying} connections, those on their way included, and minSize ${stats.minSize}`
        this.#weather.ifCalmSince(now(), () => violate('R2', told))
      }
      // One that is checked or set up is some waiter's already.
      if (idle > 0 && stats.waiting > checking + preparing && !this.suspended) {
        violate('I7', `${name}: ${stats.waiting} wait while ${idle} are idle`)
      }
    }
    for (const flight of this.#flights) {
      const took = now() - flight.since - (this.#lost() - flight.lost)
      if (took < longestOperation) continue
      violate('I2', `${flight.name} has not ended after ${Math.round(took)} ms`)
      this.#flights.delete(flight)
    }
  }

  /** Whether the pools were told to hand out nothing. */
  suspended = false
}
