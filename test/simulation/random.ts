/** One number of two, so that neighbours share nothing (the finaliser of MurmurHash3). */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ b
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A generator of the simulation's own (mulberry32), so that a seed replays on any machine. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** From 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 up to, but not including, `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n)
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** A key by its weight; one of weight 0 never, unless all are 0. */
  weighted<K extends string>(weights: Weights<K>): K {
    let rest = this.next() * weights.total
    for (const [key, weight] of weights.entries) {
      rest -= weight
      if (rest < 0) return key
    }
    return weights.entries[0]![0]
  }
}

/** Alternatives, each with how often it is drawn in relation to the others. */
export class Weights<K extends string> {
  readonly entries: readonly (readonly [K, number])[]
  readonly total: number

  constructor(weights: Record<K, number>) {
    this.entries = (Object.entries(weights) as [K, number][]).filter(([, weight]) => weight > 0)
    this.total = this.entries.reduce((sum, [, weight]) => sum + weight, 0)
  }
}
