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
}

/** An excess that a fault may explain, as it lasts no longer, in milliseconds. */
const passing = 1_500
const slack = 300

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
      const mine = rows.filter(({ name }) => name === applicationName(pool))
      const isAbandoned = listeningPools.includes(pool)
        ? () => !isCalm
        : (row: Row) => this.#isAbandoned(pool, row, at)
      const counted = mine.filter((row) => !isAbandoned(row))
      abandoned += mine.length - counted.length
      const most = poolPlans[pool].options.maxSize
      if (counted.length <= most) {
        this.#excessSince.delete(pool)
        continue
      }
      const since = of(this.#excessSince, pool, () => at)
      if (!isCalm && at - since < passing) continue
      this.#excessSince.set(pool, at)
      problems.push(
        `${applicationName(pool)} has ${counted.length} sessions, ${most} at most; ${mine.length - counted.length} abandoned besides`,
      )
    }
    this.#mostAbandoned = Math.max(this.#mostAbandoned, abandoned)
    return problems
  }

  #isAbandoned(pool: PoolName, { pid, age }: Row, at: number): boolean {
    const closed = this.#closed.get(pool)?.get(pid)
    if (closed !== undefined) return closed.isAbrupt || at - closed.at > limits.closeTimeout + slack
    return this.#opened.get(pool)?.has(pid) !== true && age > limits.connectTimeout + slack
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
