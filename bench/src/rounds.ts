import type { Load, Measurement } from './measure.ts'
import { median } from './statistics.ts'

/** What may be measured; each table says which. */
export type Figure =
  | 'requests'
  | 'rate'
  | 'p50'
  | 'p99'
  | 'cpu'
  /** Milliseconds until the last of a crowd is served. */
  | 'last'
  /** Connections that were opened. */
  | 'opened'
  /** Bytes in the process's heap and in its buffers. */
  | 'heap'
  /** Bytes of memory that the process has. */
  | 'resident'
  /** Nanoseconds that a pool takes for one caller. */
  | 'cost'
  /** Bytes that a caller takes who waits. */
  | 'bytes'
  /** The longest turn of the event loop, in milliseconds. */
  | 'stall'

/** What one measurement gave; a figure that cannot be had is left out. */
export type Figures = Partial<Record<Figure, number>>

/** Measures one of those who take part, once. */
export type Entrant<F extends Figures> = (load: Load) => Promise<F>

export interface Plan extends Load {
  /** How often each entrant is measured; `seconds` is the length of one measurement. */
  rounds: number
}

/** A quotient of two entrants: the median over the rounds, and the lowest and the highest of them. */
export interface Ratio {
  median: number
  low: number
  high: number
}

const warmUpSeconds = 0.5

/**
 * Measures the entrants in turn, round after round, so that what else the machine does falls on all alike. Each is
 * warmed up first, and every second round goes backwards. The answer has a list of rounds for each entrant.
 */
export async function playRounds<F extends Figures>(
  entrants: readonly Entrant<F>[],
  { rounds, ...load }: Plan,
): Promise<F[][]> {
  for (const measure of entrants) {
    await measure({ ...load, seconds: Math.min(warmUpSeconds, load.seconds) })
  }
  return interleave(
    entrants.map((measure) => () => measure(load)),
    rounds,
  )
}

/** Plays the entrants' laps in turn, round after round, every second round backwards. */
export async function interleave<F extends Figures>(
  entrants: readonly (() => Promise<F>)[],
  rounds: number,
): Promise<F[][]> {
  const lanes = entrants.map((lap) => ({ lap, results: [] as F[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { lap, results } of round % 2 === 0 ? lanes : lanes.toReversed()) results.push(await lap())
  }
  return lanes.map(({ results }) => results)
}

/** A figure's median over the rounds; NaN where it cannot be had. */
export function middle(figure: Figure, rounds: readonly Figures[]): number {
  return median(rounds.map((round) => round[figure] ?? Number.NaN))
}

/** Each figure's median over the rounds; `requests` are all of them. */
export function summarise(rounds: readonly Measurement[]): Measurement {
  const requests = rounds.reduce((sum, round) => sum + round.requests, 0)
  const of = (figure: Figure) => middle(figure, rounds)
  return { requests, rate: of('rate'), p50: of('p50'), p99: of('p99'), cpu: of('cpu') }
}

/** How many times `base`'s figure `rounds` has, compared within each round; NaN where one of them does not have it. */
export function ratio(figure: Figure, rounds: readonly Figures[], base: readonly Figures[]): Ratio {
  const of = (round: Figures | undefined) => round?.[figure] ?? Number.NaN
  const quotients = rounds.map((round, index) => of(round) / of(base[index]))
  return { median: median(quotients), low: Math.min(...quotients), high: Math.max(...quotients) }
}
