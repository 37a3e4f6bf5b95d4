/** How often what ended how. */
export class Counts {
  readonly #results = new Map<string, Map<string, number>>()

  add(what: string, result: string, count = 1): void {
    const results = this.#results.get(what) ?? new Map<string, number>()
    this.#results.set(what, results.set(result, (results.get(result) ?? 0) + count))
  }

  /** What there is, with its results. */
  get byWhat(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#results
  }

  entries(): [what: string, result: string, count: number][] {
    return [...this.#results].flatMap(([what, results]) =>
      [...results].map(([result, count]): [string, string, number] => [what, result, count]),
    )
  }
}
