import type { CloseReason } from '../../../src/index.ts'
import {
  applicationName,
  limits,
  listeningPools,
  type PoolName,
  poolNames,
  poolPlans,
} from '../pool-plans.ts'

/** A row of pg_stat_activity. */
export interface Row {
  pid: number
  name: string
  /** How long ago its session began, in milliseconds. */
  age: number
  /** While it runs a statement, the server does not notice that its client has left. */
  isActive: boolean
  /** What it does, for whoever has to find out why it is there. */
  doing: string
}

/** An excess that a fault may explain, as it lasts no longer, in milliseconds. */
const passing = 1_500
const slack = 300
/** Where nothing is in the way, the server has noticed a closed socket by then. */
const noticing = 3_000

/** Where the pool does not wait for the server to end the session. */
const abrupt: ReadonlySet<CloseReason> = new Set([
  'byUser',
  'lost',
  'checkFailed',
  'prepareFailed',
  'resetFailed',
  'terminated',
])

/**
 * I4: the server shows no more sessions of a pool than its `maxSize`, but for those whose sockets the pool has
 * abandoned. Such are those that it told to have closed, where it did not or not any longer wait for the server, and
 * those that it never told of, once they are older than a connect may take. Of a pool that only listens nothing is told:
 * its one connection is beside `maxSize`, which nobody uses, and is counted where there is no fault.
 */
export class Activity {
  readonly #closed = new Map<PoolName, Map<number, { at: number; isAbrupt: boolean }>>()
  readonly #excessSince = new Map<PoolName, number>()
  readonly #opened = new Map<PoolName, Set<number>>()
  #mostAbandoned = 0

  /** The most sessions of all pools at once that were abandoned and still there. */
  get mostAbandoned(): number {
    return this.#mostAbandoned
  }

  opened(pool: PoolName, pid: number): void {
    this.#closed.get(pool)?.delete(pid)
    of(this.#opened, pool, () => new Set<number>()).add(pid)
  }

  closed(pool: PoolName, pid: number, reason: CloseReason, at: number): void {
    this.#opened.get(pool)?.delete(pid)
    of(this.#closed, pool, () => new Map()).set(pid, { at, isAbrupt: abrupt.has(reason) })
  }

  /** What is wrong with the rows of one moment. Without a fault nothing is excused for a while. */
  check(rows: readonly Row[], at: number, isCalm: boolean): string[] {
    const problems: string[] = []
    let abandoned = 0
    for (const pool of poolNames) {
      const name = applicationName(pool)
      const mine = rows.filter((row) => row.name === name)
      const left = mine.filter((row) => this.#leftFor(pool, row, at, isCalm) >= 0)
      abandoned += left.length
      const staying = left.filter((row) => !row.isActive && this.#leftFor(pool, row, at, isCalm) > noticing)
      if (isCalm)
        problems.push(
          ...staying.map(({ pid, doing }) => `${name} has left session ${pid}, which stays: ${doing}`),
        )
      const counted = mine.length - left.length
      const most = poolPlans[pool].options.maxSize
      if (this.#isTooMuch(pool, counted - most, at, isCalm)) {
        problems.push(`${name} has ${counted} sessions, ${most} at most, and left ${left.length} besides`)
      }
    }
    this.#mostAbandoned = Math.max(this.#mostAbandoned, abandoned)
    return problems
  }

  #isTooMuch(pool: PoolName, excess: number, at: number, isCalm: boolean): boolean {
    if (excess <= 0) {
      this.#excessSince.delete(pool)
      return false
    }
    const since = of(this.#excessSince, pool, () => at)
    return isCalm || at - since >= passing
  }

  /** For how long the pool has abandoned a session, in milliseconds; below 0: it has not. */
  #leftFor(pool: PoolName, { pid, age }: Row, at: number, isCalm: boolean): number {
    if (listeningPools.includes(pool)) return isCalm ? -1 : 0
    const closed = this.#closed.get(pool)?.get(pid)
    // What the pool did just before may be heard only just behind.
    if (closed !== undefined) return at - closed.at + (closed.isAbrupt ? slack : -limits.closeTimeout - slack)
    return this.#opened.get(pool)?.has(pid) === true ? -1 : age - limits.connectTimeout - slack
  }
}

function of<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
