import { InterfaceError } from './errors.ts'

/** Milliseconds, or a number with its unit as in postgresql.conf: `'500ms'`, `'60s'`, `'5min'`, `'1h'`, `'1d'`. `0` switches a limit off. */
export type Duration = number | string

const unitMs: Record<string, number> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }
const pattern = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)\s*$/

/**
 * The duration in milliseconds.
 *
 * @throws InterfaceError naming `option` where `value` is neither a finite number ≥ 0 nor a number with a unit.
 */
export function parseDuration(option: string, value: Duration): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && value >= 0) return value
  } else if (typeof value === 'string') {
    const match = pattern.exec(value)
    if (match !== null) return Number(match[1]) * unitMs[match[2]!]!
  }
  throw new InterfaceError(
    `${option}: ${JSON.stringify(value) ?? String(value)} is not a duration; ` +
      `give milliseconds (500) or a number with its unit ('500ms', '60s', '5min', '1h', '1d'), 0 for no limit`,
  )
}

/** A duration for a person: `1.5 s`, `20 ms`, `5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Number((ms / 1_000).toFixed(1))} s`
  return `${Number((ms / 60_000).toFixed(1))} min`
}
