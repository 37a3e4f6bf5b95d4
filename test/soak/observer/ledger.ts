import type { Fate } from '../messages.ts'

/** A write as the server has it. */
export interface Written {
  id: number
  /** How often it is there; a fraction: not all of it. */
  copies: number
}

interface Told {
  fate: Fate
  how: string
}

/** What became of all writes, as their writers were told, against what is there (I5). */
export class Ledger {
  /** Acknowledged, and not looked at yet. */
  readonly #fresh = new Map<number, Told>()
  /** Those of no or unknown success, which may still appear. */
  readonly #doubtful = new Map<number, Told>()
  #acknowledged = 0

  get totals(): Record<Fate, number> {
    const doubtful = [...this.#doubtful.values()]
    return {
      acknowledged: this.#acknowledged,
      failed: doubtful.filter(({ fate }) => fate === 'failed').length,
      unknown: doubtful.filter(({ fate }) => fate === 'unknown').length,
    }
  }

  /** `how` is for the one who reads of a problem. */
  settle(id: number, fate: Fate, how: string): void {
    if (fate === 'acknowledged') this.#acknowledged++
    const book = fate === 'acknowledged' ? this.#fresh : this.#doubtful
    book.set(id, { fate, how })
  }

  /** What to look at now: what was acknowledged since the last time, and all that is in doubt. */
  get due(): number[] {
    return [...this.#fresh.keys(), ...this.#doubtful.keys()]
  }

  /** What is wrong with the writes `asked` for, of which `written` are there. */
  check(asked: readonly number[], written: readonly Written[]): string[] {
    const copies = new Map(written.map((one) => [one.id, one.copies]))
    const problems: string[] = []
    for (const id of asked) {
      const there = copies.get(id) ?? 0
      const { fate, how } = (this.#doubtful.get(id) ?? this.#fresh.get(id))!
      const least = fate === 'acknowledged' ? 1 : 0
      const most = fate === 'failed' ? 0 : 1
      if (there !== least && there !== most)
        problems.push(`write ${id}, ${fate}, is there ${there} times; its caller was told: ${how}`)
      this.#fresh.delete(id)
    }
    return problems
  }

  /** What is wrong where so many writes are there in all, `doubtful` of which are of those in doubt. */
  checkTotal(writes: number, doubtful: number): string[] {
    const expected = this.#acknowledged + doubtful
    if (writes === expected) return []
    return [
      `${writes} writes are there; ${this.#acknowledged} were acknowledged, and ${doubtful} of those in doubt came`,
    ]
  }

  isDoubtful(id: number): boolean {
    return this.#doubtful.has(id)
  }
}
