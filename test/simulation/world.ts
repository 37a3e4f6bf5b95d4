import type { PoolSettings } from '../../src/pooling/index.ts'
import { SimulatedClock } from './clock.ts'
import type { Coverage } from './coverage.ts'
import type { Plan } from './plan.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'

/** A promise of the pool's that was broken: I1–I10 of the faults, R1–R21 of the contract. */
export interface Violation {
  readonly invariant: string
  readonly message: string
}

/** What a fault made fail. */
export class SimulatedError extends Error {
  readonly isPermanent: boolean

  constructor(message: string, isPermanent = false) {
    super(message)
    this.isPermanent = isPermanent
  }
}

/** Everything around one pool: time, chance, the server's mood, and what is written down. */
export class World {
  readonly clock = new SimulatedClock()
  readonly plan: Plan
  readonly settings: PoolSettings
  readonly trace: Trace
  readonly coverage: Coverage
  /** That of the present step: what is left out of a run changes no other step's draws. */
  random: Random
  /** The faults are over. */
  isCalm = false
  /** The server takes no connections and has dropped those that it had. */
  isAway = false
  /** Nothing has happened since the last look: the pool and its model stand alike. */
  isSettled = false
  /** Calls that hang: each ends, well or not, when told. */
  readonly hanging = new Set<() => void>()
  /** The first thing that went wrong. */
  violation: Violation | undefined

  constructor(plan: Plan, settings: PoolSettings, random: Random, trace: Trace, coverage: Coverage) {
    this.plan = plan
    this.settings = settings
    this.random = random
    this.trace = trace
    this.coverage = coverage
  }

  /** Notes what is wrong; it does not throw, as whoever calls it may be called by the pool. */
  violate(invariant: string, message: string): void {
    this.log('violation', invariant, message)
    this.violation ??= { invariant, message }
  }

  log(what: string, a: number | string = '', b: number | string = ''): void {
    this.isSettled = false
    this.trace.add(this.clock.now(), what, a, b)
  }

  /** The faults end: what hangs comes to its end, and nothing goes wrong from now on. */
  calm(): void {
    this.isCalm = true
    this.isAway = false
    for (const end of this.hanging) end()
    this.hanging.clear()
  }
}
