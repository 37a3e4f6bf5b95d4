import { type Load, type Measurement, measure } from './measure.ts'
import { median } from './statistics.ts'

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
export async function playRounds(
  entrants: readonly (() => Promise<void>)[],
  { rounds, ...load }: Plan,
): Promise<Measurement[][]> {
  for (const request of entrants) {
    await measure(request, { ...load, seconds: Math.min(warmUpSeconds, load.seconds) })
  }
  return interleave(
    entrants.map((request) => () => measure(request, load)),
    rounds,
  )
}

/** Takes the entrants' laps in turn, round after round, every second round backwards. */
export async function interleave<Lap>(
  entrants: readonly (() => Promise<Lap>)[],
  rounds: number,
): Promise<Lap[][]> {
  const lanes = entrants.map((lap) => ({ lap, results: [] as Lap[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { lap, results } of round % 2 === 0 ? lanes : lanes.toReversed()) results.push(await lap())
  }
  return lanes.map(({ results }) => results)
}

/** Each figure's median over the rounds; `requests` are all of them. */
export function summarise(rounds: readonly Measurement[]): Measurement {
  const of = (figure: keyof Measurement) => median(rounds.map((round) => round[figure]))
  const requests = rounds.reduce((sum, round) => sum + round.requests, 0)
  return { requests, rate: of('rate'), p50: of('p50'), p99: of('p99'), cpu: of('cpu') }
}

/** How many times `base`'s figure `rounds` has, compared within each round. */
export function ratio(
  figure: keyof Measurement,
  rounds: readonly Measurement[],
  base: readonly Measurement[],
): Ratio {
  return ratioOf(
    rounds.map((round) => round[figure]),
    base.map((round) => round[figure]),
  )
}

/** The same of plain figures, one a round. */
export function ratioOf(own: readonly number[], base: readonly number[]): Ratio {
  const quotients = own.map((value, round) => value / base[round]!)
  return { median: median(quotients), low: Math.min(...quotients), high: Math.max(...quotients) }
}
