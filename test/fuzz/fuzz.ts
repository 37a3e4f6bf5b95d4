import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { violations } from './checks.ts'
import type { Outcome } from './client.ts'
import { play } from './play.ts'
import { loadRecordings, type Recording } from './recordings.ts'
import { type Library, libraryOf, type Plan, planOf, streamOf } from './streams.ts'

/** What a seed's stream came to. */
export interface Verdict {
  seed: number
  violations: string[]
  /** Every call gave a value: the change did not matter, or did not show. */
  isUnharmed: boolean
  outcomes: readonly Outcome[]
  /** Milliseconds. */
  took: number
}

/** Makes the streams of seeds, plays them, and judges how the engine took them. One at a time. */
export class Fuzzer {
  readonly recordings: readonly Recording[] = loadRecordings()
  readonly #library: Library = libraryOf(this.recordings)
  /** What nobody caught since the last stream began. */
  #uncaught: unknown[] = []

  /** Until `stop`, whatever nobody catches in this process is laid at the current stream's door. */
  start(): void {
    process.on('uncaughtException', this.#keep)
    process.on('unhandledRejection', this.#keep)
  }

  stop(): void {
    process.off('uncaughtException', this.#keep)
    process.off('unhandledRejection', this.#keep)
  }

  readonly #keep = (error: unknown): void => {
    this.#uncaught.push(error)
  }

  plan(seed: number): Plan {
    return planOf(seed, this.recordings)
  }

  run(seed: number): Promise<Verdict> {
    return this.judge(this.plan(seed), seed)
  }

  async judge(plan: Plan, seed: number): Promise<Verdict> {
    const stream = streamOf(plan, this.#library, seed)
    const start = performance.now()
    const before = process.memoryUsage()
    this.#uncaught = []
    const played = await play(stream)
    const took = performance.now() - start
    const wrong = [
      ...violations(played, before),
      ...this.#uncaught.map((error) => `nobody caught ${String(error)}`),
    ]
    return {
      seed,
      violations: wrong,
      isUnharmed: played.outcomes.every((outcome) => 'value' in outcome),
      outcomes: played.outcomes,
      took,
    }
  }

  /** The plan with as few of its mutations as still give a violation. */
  async minimised(plan: Plan, seed: number): Promise<Plan> {
    for (const mutation of plan.mutations) {
      const without = { ...plan, mutations: plan.mutations.filter((other) => other !== mutation) }
      const { violations: wrong } = await this.judge(without, seed)
      if (wrong.length > 0) return this.minimised(without, seed)
    }
    return plan
  }
}

/** One line that tells what was done to which recording. */
export function describePlan({ recording, mutations, cut, ending, expires }: Plan): string {
  const changes = mutations.map(({ name }) => name).join(', ')
  return `${recording.name}: ${changes}; arrives ${cut}, ends by ${ending}${expires ? ' behind every time-out' : ''}`
}

/** The heap in use, in bytes, after what can be freed was freed. */
export function usedHeap(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
