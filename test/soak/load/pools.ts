import { Pool } from '../../../src/index.ts'
import type { Targets } from '../messages.ts'
import { applicationName, limits, type PoolName, poolNames, poolPlans } from '../pool-plans.ts'
import { describe } from './judge.ts'
import { tell, violate } from './link.ts'
import type { Tally } from './tally.ts'

/** The pools by name, each with another in its place once it was replaced. */
export class Pools {
  readonly #targets: Targets
  readonly #tally: Tally
  readonly #pools = new Map<PoolName, Pool>()

  constructor(targets: Targets, tally: Tally) {
    this.#targets = targets
    this.#tally = tally
    for (const name of poolNames) this.#pools.set(name, this.#make(name))
  }

  get(name: PoolName): Pool {
    return this.#pools.get(name)!
  }

  all(): [PoolName, Pool][] {
    return [...this.#pools]
  }

  /** Ends a pool under its callers, and makes another once it is gone. */
  async replace(name: PoolName, by: 'close' | 'terminate'): Promise<void> {
    await this.#end(name, by)
    this.#pools.set(name, this.#make(name))
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map(([name]) => this.#end(name, 'close')))
  }

  async #end(name: PoolName, by: 'close' | 'terminate'): Promise<void> {
    const pool = this.get(name)
    try {
      await (by === 'close' ? pool.close({ timeout: '20s' }) : pool.terminate())
    } catch (error) {
      violate('R13', `${name}.${by}(): ${describe(error)}`)
    }
    const { size, free, maxSize } = { ...pool.stats() }
    if (size !== 0 || free !== maxSize) violate('R13', `${name}.${by}() left ${JSON.stringify(pool.stats())}`)
  }

  #make(name: PoolName): Pool {
    const { via, options } = poolPlans[name]
    const serverSettings = { application_name: applicationName(name) }
    const pool = new Pool(this.#targets[via], { ...limits, ...options, serverSettings })
    pool.on('open', ({ processId }) => tell({ kind: 'opened', pool: name, pid: processId }))
    pool.on('close', ({ processId, reason }) => {
      this.#tally.count(`connections of ${name}`, `closed: ${reason}`)
      tell({ kind: 'closed', pool: name, pid: processId, reason })
    })
    pool.on('acquire', ({ waited }) => this.#tally.waited(waited))
    pool.on('connectFailed', () => this.#tally.count(`connections of ${name}`, 'failed to open'))
    pool.on('leak', ({ held }) => violate('R17', `a connection of ${name} was held for ${held} ms`))
    return pool
  }
}
