import { workingPools } from '../pool-plans.ts'

/** I10, in milliseconds from when the server accepts connections. */
const firstSuccessWithin = 1_000
const floorWithin = 2_000

export interface FaultRecord {
  times: number
  /** Those that were over before the next fault began. */
  successes: number[]
  floors: number[]
}

interface Pending {
  id: number
  fault: string
  /** What the bounds allow besides: the deadlines of calls that wait, and what the machine itself needed. */
  allowance: number
  left: Set<string>
}

export interface Recovered {
  id: number
  pool: string
  success: number
  floor: number
  /** How long the load did not get to run meanwhile. */
  lost: number
}

/** How soon the pools come back behind each fault (I10). */
export class Recoveries {
  readonly byFault = new Map<string, FaultRecord>()
  #pending: Pending | undefined
  #id = 0

  /** A fault has begun: it is nobody's fault to have not recovered from the one before. */
  begun(fault: string): void {
    this.#pending = undefined
    const record = this.byFault.get(fault)
    if (record === undefined) this.byFault.set(fault, { times: 1, successes: [], floors: [] })
    else record.times++
  }

  /** The server accepts connections again; gives the id by which the pools' recovery is told. */
  accepted(fault: string, allowance: number): number {
    this.#pending = { id: ++this.#id, fault, allowance, left: new Set(workingPools) }
    return this.#id
  }

  /** What is wrong with how long a pool took. */
  recovered({ id, pool, success, floor, lost }: Recovered): string[] {
    const pending = this.#pending
    if (pending?.id !== id) return []
    pending.left.delete(pool)
    const record = this.byFault.get(pending.fault)!
    record.successes.push(success)
    record.floors.push(floor)
    const allowance = pending.allowance + lost
    const problems: string[] = []
    const tell = (what: string, took: number, within: number) => {
      if (took <= within + allowance) return
      problems.push(
        `${pool}, after ${pending.fault}: ${what} after ${Math.round(took)} ms; ${Math.round(within + allowance)} allowed`,
      )
    }
    tell('its first success came', success, firstSuccessWithin)
    tell('its floor was back', floor, floorWithin)
    return problems
  }

  /** Those who have not recovered since `id` was given. */
  late(id: number): string[] {
    if (this.#pending?.id !== id) return []
    return [...this.#pending.left].map(
      (pool) => `${pool}, after ${this.#pending!.fault}: it has not recovered`,
    )
  }
}
