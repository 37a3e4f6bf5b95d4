import type { Ratio } from './rounds.ts'
import { type Column, times } from './table.ts'

/** What every topic is given. */
export interface Run {
  /** With its password: not for output. */
  dsn: string
  rounds: number
  /** The length of one measurement. */
  seconds: number
  signal: AbortSignal
  /** Whether the contestant of that name takes part. */
  takes(peer: string): boolean
  /** Tells how far it has come. */
  tell(line: string): void
}

/** One kind of work that is measured. */
export interface Topic {
  readonly name: string
  /** The contestants. */
  readonly peers: readonly string[]
  /** Rejects where an answer is wrong. */
  measure(run: Run): Promise<Finding>
}

/** What was measured, and how to read it. */
export interface Finding {
  title: string
  /** Sentences beside the tables. */
  notes: string[]
  tables: Table[]
  targets: Target[]
  absent: Absent[]
  /** What took part, by name: `pg` → `8.23.1`. */
  versions: Record<string, string>
  plots?: Plot[]
}

export interface Table {
  caption?: string
  columns: Column[]
  rows: string[][]
}

/** What the measurement was to show, and whether it did. */
export interface Target {
  what: string
  wanted: string
  measured: string
  met: boolean
}

/** A contestant that is not installed, and the command that installs it. */
export interface Absent {
  name: string
  install: string
}

/** Lines over a common axis; both axes are logarithmic. */
export interface Plot {
  /** The file's name without its ending. */
  name: string
  title: string
  x: string
  y: string
  lines: { name: string; points: { x: number; y: number }[] }[]
}

/** Ours is so many times theirs, or more. */
export function atLeast(what: string, ratio: Ratio, bound: number, theirs: string): Target {
  return { what, wanted: `≥ ${bound} × ${theirs}`, measured: times(ratio), met: ratio.median >= bound }
}

/** Ours is so many times theirs, or less. */
export function atMost(what: string, ratio: Ratio, bound: number, theirs: string): Target {
  return { what, wanted: `≤ ${bound} × ${theirs}`, measured: times(ratio), met: ratio.median <= bound }
}

/** Of which two each ratio is, where there is any. */
export function ratioNote([first, second]: readonly string[]): string[] {
  return second === undefined ? [] : [`The ratios are those of ${first} to the others.`]
}
