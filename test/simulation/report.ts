import type { CampaignResult } from './campaign.ts'
import { states } from './connection.ts'
import { type Coverage, slotEvents } from './coverage.ts'
import { impossible } from './pairs.ts'

/** Where what was reached and what is declared to be possible differ. */
export function gaps(coverage: Coverage): { unreached: string[]; contradicted: string[] } {
  const unreached: string[] = []
  const contradicted: string[] = []
  for (const event of slotEvents) {
    for (const state of states) {
      const reason = impossible(state, event)
      const isReached = coverage.count(state, event) > 0
      if (reason === undefined && !isReached) unreached.push(`${state} × ${event}`)
      if (reason !== undefined && isReached) contradicted.push(`${state} × ${event} (${reason})`)
    }
  }
  return { unreached, contradicted }
}

export function report(result: CampaignResult): string {
  const { seeds, steps, milliseconds, coverage } = result
  const lines = [
    `${seeds} seeds, ${steps} steps in ${(milliseconds / 1_000).toFixed(1)} s`,
    '',
    'Faults fired:',
    ...[...coverage.faults]
      .sort()
      .map(([name, times]) => `  ${name.padEnd(36)}${String(times).padStart(10)}`),
    '',
    `What happened to slots, by their state (-: impossible, see pairs.ts):`,
    `  ${''.padEnd(24)}${states.map((state) => state.padStart(12)).join('')}`,
  ]
  for (const event of slotEvents) {
    const cells = states.map((state) => {
      const times = coverage.count(state, event)
      return (times === 0 && impossible(state, event) !== undefined ? '-' : String(times)).padStart(12)
    })
    lines.push(`  ${event.padEnd(24)}${cells.join('')}`)
  }
  return lines.join('\n')
}

/** The same, for programs. */
export function summary(result: CampaignResult): object {
  const { seeds, steps, milliseconds, coverage, failures } = result
  const pairs: Record<string, Record<string, number | string>> = {}
  for (const event of slotEvents) {
    pairs[event] = {}
    for (const state of states) pairs[event][state] = impossible(state, event) ?? coverage.count(state, event)
  }
  return {
    seeds,
    steps,
    milliseconds,
    failures,
    faults: Object.fromEntries([...coverage.faults].sort()),
    pairs,
  }
}
