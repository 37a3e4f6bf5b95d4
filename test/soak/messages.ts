import type { CloseReason } from '../../src/index.ts'
import type { PoolName } from './pool-plans.ts'

/** Something that must never be, by its rule or invariant. */
export interface Violation {
  rule: string
  /** By `now()`. */
  at: number
  what: string
  /** How often it was seen. */
  times: number
}

/** What became of a write, as its writer was told. */
export type Fate = 'acknowledged' | 'failed' | 'unknown'

/** What the fault maker has the load do to itself. */
export type Deed =
  | { act: 'expire' | 'suspend' | 'resume' | 'shrink' | 'grow' }
  /** Blocks the event loop. */
  | { act: 'stall'; ms: number }
  /** Ends a pool under its callers and makes another in its place. */
  | { act: 'replace'; by: 'close' | 'terminate' }

export interface Targets {
  direct: string
  proxied: string
}

export type LoadOrder =
  | { kind: 'start'; targets: Targets; seed: number; sampleEvery: number }
  /** A fault begins; or it has ended, and nobody may fail any more because of it after `calmIn`. */
  | { kind: 'storm' }
  | { kind: 'calm'; calmIn: number }
  /** The server accepts connections: tell each pool's first success from now on, and when its floor is back. */
  | { kind: 'watch'; id: number }
  | { kind: 'do'; deed: Deed }
  | { kind: 'finish' }

export interface Sample {
  at: number
  /** Bytes, after a forced collection. */
  heap: number
  sockets: number
  timers: number
}

export type LoadReport =
  | {
      kind: 'tally'
      /** How often an operation ended how, since the last tally. */
      counts: [operation: string, result: string, count: number][]
      writes: [id: number, fate: Fate, how: string][]
      waits: number[]
    }
  | { kind: 'opened'; pool: PoolName; pid: number }
  | { kind: 'closed'; pool: PoolName; pid: number; reason: CloseReason }
  | { kind: 'recovered'; id: number; pool: PoolName; success: number; floor: number; lost: number }
  | { kind: 'sample'; sample: Sample }
  | { kind: 'violation'; rule: string; what: string }
  /** Everything is closed. `left`: the kinds of what still keeps the process alive, but should not. */
  | { kind: 'finished'; sample: Sample; left: string[] }

export interface ServerPlace {
  bin: string
  data: string
  port: number
}

export type FaultOrder =
  /** Make the proxy. */
  | { kind: 'start'; server: ServerPlace; seed: number }
  | { kind: 'begin'; faults: string; pace: number; loadPid: number }
  /** End the fault that there is, and make no more. */
  | { kind: 'stop' }

export type FaultReport =
  | { kind: 'ready'; proxyPort: number }
  | { kind: 'begun'; fault: string; at: number }
  /** `silence`: how long calls may still wait for deadlines of their own after the end. */
  | { kind: 'ended'; fault: string; at: number; silence: number; failure: string | undefined }
  | { kind: 'do'; deed: Deed }
  | { kind: 'stopped' }
