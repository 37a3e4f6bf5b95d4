import type { Peer } from '../peers/peer.ts'
import type { Figure, Figures } from '../rounds.ts'
import type { Stage } from '../workloads/workload.ts'

/** One table: who is measured on what, and what the figures are to show. */
export interface Contest {
  /** For `--only`, and for the peers' processes. */
  readonly name: string
  readonly title: string
  readonly notes: readonly string[]
  readonly stage: Stage
  /** The first is the one that the others are compared with. */
  readonly peers: readonly Peer[]
  readonly settings: readonly Setting[]
  /** Which number tells its settings apart. */
  readonly by: keyof Setting
  readonly columns: readonly FigureColumn[]
  /** The figures whose ratio to the first peer's is shown. */
  readonly compared: readonly Figure[]
  readonly goals: readonly Goal[]
  readonly plots?: readonly FigurePlot[]
  /** Whether each measurement has a new process. Default: one process measures all. */
  readonly freshProcesses?: boolean
  /** Stands between the peers and the server while they are measured. */
  readonly network?: (dsn: string) => Promise<Network>
}

export interface Setting {
  callers: number
  connections: number
}

export interface FigureColumn {
  title: string
  figure: Figure
  render(value: number): string
}

/** A figure over the settings. */
export interface FigurePlot {
  figure: Figure
  /** The file's name without its ending. */
  name: string
  title: string
  x: keyof Setting
  y: string
}

export interface Network {
  dsn: string
  /** What it saw since it was asked last. */
  seen(): Figures
  close(): Promise<void>
}

/** A target of the project: a ratio of two peers' figures, or a bound of a figure. */
export interface Goal {
  readonly own: string
  /** The peer whose figure is the base; of several, the one with the best median. Where it is missing, 1 of the unit. */
  readonly base?: string | readonly string[]
  /** How the target names the base, or the bound's unit. */
  readonly of: string
  readonly figure: Figure
  readonly is: 'at least' | 'at most'
  readonly bound: number
  /** The setting it is for, by its number. Default: the only one. */
  readonly at?: number
}
