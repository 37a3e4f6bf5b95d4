/** A logarithmic axis: where a value lies between two ends, and which values have a label. */
export class LogScale {
  readonly ticks: readonly number[]
  readonly #low: number
  readonly #high: number
  readonly #from: number
  readonly #to: number

  /** From the 1, 2 or 5 below the least value, at `from`, to that above the greatest, at `to`. All are above 0. */
  constructor(values: readonly number[], from: number, to: number) {
    const all = steps(Math.min(...values), Math.max(...values))
    // Of many decades only the tens.
    this.ticks = all.length > 10 ? all.filter((tick) => Number.isInteger(round(Math.log10(tick)))) : all
    this.#low = Math.log10(all[0]!)
    this.#high = Math.log10(all.at(-1)!)
    this.#from = from
    this.#to = to
  }

  at(value: number): number {
    const share = (Math.log10(value) - this.#low) / (this.#high - this.#low)
    return this.#from + share * (this.#to - this.#from)
  }
}

/** 1, 2, 5, 10, 20, …: at least two of them, the first not above `least`, the last not below `greatest`. */
function steps(least: number, greatest: number): number[] {
  const found: number[] = []
  for (let power = Math.floor(Math.log10(least)); ; power++) {
    for (const digit of [1, 2, 5]) {
      const step = round(digit * 10 ** power)
      if (step <= least) found.length = 0
      found.push(step)
      if (step >= greatest && found.length > 1) return found
    }
  }
}

/** Without the last digits, which powers of ten below 1 do not hold. */
function round(value: number): number {
  return Number(value.toPrecision(12))
}
