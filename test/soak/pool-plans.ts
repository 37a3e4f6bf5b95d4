import type { PoolOptions } from '../../src/index.ts'

/** The limits of all pools, in milliseconds; short, so that a run meets many of each. */
export const limits = {
  commandTimeout: 2_000,
  cancelTimeout: 500,
  closeTimeout: 500,
  connectTimeout: 2_000,
  checkTimeout: 500,
  acquireTimeout: 5_000,
} as const

/** How long a call may wait for an answer that was lost on its way, and its connection for its end. */
export const longestSilence = limits.commandTimeout + limits.cancelTimeout + limits.closeTimeout

/** A heartbeat for `pool.listen()`. */
export const heartbeat = 1_000

interface PoolPlan {
  via: 'direct' | 'proxied'
  workers: number
  options: PoolOptions & { minSize: number; maxSize: number }
}

const plan = {
  steady: {
    via: 'direct',
    workers: 9,
    options: { minSize: 5, maxSize: 8, maxQueries: 400, maxLifetime: '45s' },
  },
  proxied: {
    via: 'proxied',
    workers: 7,
    options: { minSize: 3, maxSize: 6, reset: 'auto', checkIdleAfter: 'always' },
  },
  lean: {
    via: 'direct',
    workers: 4,
    options: {
      minSize: 0,
      maxSize: 3,
      statementCacheSize: 0,
      maxInactiveConnectionLifetime: '500ms',
      detectDeadlocks: true,
      leakThreshold: '30s',
    },
  },
  /** For `pool.listen()` only: its connection is beside `maxSize`. */
  listening: { via: 'direct', workers: 0, options: { minSize: 0, maxSize: 1 } },
  listeningProxied: { via: 'proxied', workers: 0, options: { minSize: 0, maxSize: 1 } },
} as const satisfies Record<string, PoolPlan>

export type PoolName = keyof typeof plan

export const poolPlans: Readonly<Record<PoolName, PoolPlan>> = plan
export const poolNames = Object.keys(plan) as PoolName[]
/** Those that lend connections. */
export const workingPools = poolNames.filter((name) => poolPlans[name].workers > 0)
/** Those that listen. */
export const listeningPools = poolNames.filter((name) => poolPlans[name].workers === 0)

export function applicationName(pool: PoolName): string {
  return `soak ${pool}`
}
