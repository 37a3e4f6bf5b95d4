import type { Fate, Sample, Violation } from './messages.ts'
import type { FaultRecord } from './observer/recoveries.ts'
import type { SoakOptions } from './options.ts'
import { growths } from './resources.ts'
import { type Histogram, median } from './statistics.ts'

/** What a soak has seen. */
export interface Findings {
  options: SoakOptions
  /** By `now()`. */
  began: number
  ended: number
  /** By operation and result. */
  counts: ReadonlyMap<string, ReadonlyMap<string, number>>
  writes: Record<Fate, number>
  faults: ReadonlyMap<string, FaultRecord>
  waits: Histogram
  /** In the course of the run, and after everything was closed. */
  samples: readonly Sample[]
  final: Sample | undefined
  violations: readonly Violation[]
  activitySamples: number
  mostAbandoned: number
}

/** So many violations are told one by one. */
const told = 100

export function report(findings: Findings): string {
  const { options, began, ended, violations, waits } = findings
  const minutes = (ended - began) / 60_000
  const faults = [...findings.faults.values()].reduce((sum, { times }) => sum + times, 0)
  const operations = [...findings.counts.values()].reduce(
    (sum, results) => sum + (results.get('done') ?? 0),
    0,
  )
  const { acknowledged, failed, unknown } = findings.writes
  return `# Soak

${minutes.toFixed(1)} minutes, seed ${options.seed}: ${operations} operations done, ${faults} faults, **${violations.length} violations**.

${violationList(violations, began)}
## Operations

${operationTable(findings.counts)}

Writes: ${acknowledged} acknowledged, ${failed} failed, ${unknown} of unknown success. Wait for a connection: p50 ${ms(waits.percentile(50))}, p99 ${ms(waits.percentile(99))} of ${waits.count}.

## Faults and recovery

From when the server accepts connections, each of the pools: its first success, and its \`minSize\` open again.

${faultTable(findings.faults)}

## Resources

${resourceTable(findings)}

${findings.activitySamples} looks at pg_stat_activity; at most ${findings.mostAbandoned} sessions at once that their pools had abandoned.
`
}

function violationList(violations: readonly Violation[], began: number): string {
  if (violations.length === 0) return ''
  const lines = violations.slice(0, told).map(({ rule, at, what, times }) => {
    return `- ${((at - began) / 1_000).toFixed(1)} s, ${rule}: ${what}${times > 1 ? `; ${times} times` : ''}\n`
  })
  const more = violations.length > told ? `- and ${violations.length - told} more\n` : ''
  return `## Violations\n\n${lines.join('')}${more}\n`
}

function operationTable(counts: Findings['counts']): string {
  const rows = [...counts].map(([operation, results]) => {
    const others = [...results].filter(([result]) => result !== 'done').sort(([, a], [, b]) => b - a)
    return [
      operation,
      String(results.get('done') ?? ''),
      others.map(([result, n]) => `${result}: ${n}`).join(', '),
    ]
  })
  return table(['operation', 'done', 'else'], rows)
}

function faultTable(faults: Findings['faults']): string {
  const rows = [...faults].map(([fault, { times, successes, floors }]) => {
    const row = [fault, String(times)]
    for (const all of [successes, floors])
      row.push(ms(median(all)), all.length === 0 ? '' : ms(Math.max(...all)))
    return row
  })
  return table(['fault', 'times', 'first success, median', 'max', 'floor, median', 'max'], rows)
}

function resourceTable(findings: Findings): string {
  const { final } = findings
  const rows = growths(findings).map(({ name, first, last, hourly, of, digits }) => {
    const shown = [first, last, final && of(final)].map((value) => value?.toFixed(digits) ?? '')
    return [name, ...shown, hourly.toFixed(digits + 1)]
  })
  return table(
    [
      'of the load, after a forced collection',
      'after the warm-up',
      'in the end',
      'after close()',
      'slope an hour',
    ],
    rows,
  )
}

function ms(value: number | undefined): string {
  if (value === undefined) return ''
  return value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}
