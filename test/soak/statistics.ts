/** Buckets are this much wider each: the precision of what a histogram tells. */
const growth = 1.05
/** What is shorter is told as this, in milliseconds. */
const least = 0.01

/** Durations in little memory, however many: counted by their order of magnitude. */
export class Histogram {
  readonly #buckets: number[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, least) / least) / Math.log(growth))
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
    this.#count++
  }

  /** What so many of a hundred do not exceed, to 5 %; `undefined`: there are none. */
  percentile(percent: number): number | undefined {
    let left = Math.ceil((this.#count * percent) / 100)
    for (let bucket = 0; bucket < this.#buckets.length; bucket++) {
      left -= this.#buckets[bucket] ?? 0
      if (left <= 0 && this.#count > 0) return least * growth ** bucket
    }
    return undefined
  }
}

/** The middle one, the higher of the two middle ones; `undefined`: there are none. */
export function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}

export interface Point {
  x: number
  y: number
}

/** The line of least squares: by how much `y` grows where `x` grows by one. 0 with fewer than two different `x`. */
export function slope(points: readonly Point[]): number {
  const mean = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  if (points.length === 0 || spread === 0) return 0
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread
}
