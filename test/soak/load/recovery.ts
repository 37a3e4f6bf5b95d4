import type { Lag } from '../clock.ts'
import { now } from '../clock.ts'
import { type PoolName, workingPools } from '../pool-plans.ts'
import { tell } from './link.ts'
import type { Pools } from './pools.ts'

const every = 10

interface Recovery {
  success: number | undefined
  floor: number | undefined
}

/** Tells how long each pool takes to its first success, and to its floor, once the server accepts connections. */
export class RecoveryWatch {
  readonly #pools: Pools
  readonly #lag: Lag
  #timer: NodeJS.Timeout | undefined
  #began = 0
  #pending = new Map<PoolName, Recovery>()

  constructor(pools: Pools, lag: Lag) {
    this.#pools = pools
    this.#lag = lag
  }

  /** From now on; ends the watch before. */
  start(id: number): void {
    this.stop()
    const lost = this.#lag.lost
    this.#began = now()
    this.#pending = new Map(workingPools.map((name) => [name, { success: undefined, floor: undefined }]))
    const look = () => {
      for (const [name, recovery] of this.#pending) {
        const pool = this.#pools.get(name)
        if (pool.size >= pool.minSize) recovery.floor ??= now() - this.#began
        const { success, floor } = recovery
        if (success === undefined || floor === undefined) continue
        this.#pending.delete(name)
        tell({ kind: 'recovered', id, pool: name, success, floor, lost: this.#lag.lost - lost })
      }
      if (this.#pending.size === 0) this.stop()
    }
    this.#timer = setInterval(look, every)
  }

  succeeded(name: PoolName): void {
    const recovery = this.#pending.get(name)
    if (recovery !== undefined) recovery.success ??= now() - this.#began
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#pending.clear()
  }
}
