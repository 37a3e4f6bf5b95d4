import { type Duration, parseDuration } from '../duration.ts'
import { InterfaceError } from '../errors.ts'

/** The options of the generic pool. An option that is `undefined` has its default. */
export interface PoolOptions {
  /** Connections that are open at all times. Default: 10, or `maxSize` where that is less. 0: none is kept. */
  minSize?: number | undefined
  /** The most connections there may be, those being opened and closed among them. Default: 10. */
  maxSize?: number | undefined
  /** The commands after which a connection is replaced, looked at when it is released. Default: 50000. 0: no limit. */
  maxQueries?: number | undefined
  /** How long a connection beyond `minSize` may be idle before it is closed. Default: 300 s. 0: no limit. */
  maxInactiveConnectionLifetime?: Duration | undefined
  /** How long a connection may be open, give or take 10 %, before it is replaced. Default: 1 h. 0: no limit. */
  maxLifetime?: Duration | undefined
  /** How long `acquire` waits. Default: 30 s. 0: no limit. */
  acquireTimeout?: Duration | undefined
  /**
   * How many callers may wait for a connection's release; those for whom there is room to open one are not
   * counted. Default: no limit. 0: nobody waits for a release.
   */
  maxWaiting?: number | undefined
  /** A connection idle for longer is checked before it is handed out. Default: 1 s. 0: never; `'always'`: each one that was idle. */
  checkIdleAfter?: Duration | 'always' | undefined
  /** How long such a check may take. Default: 2 s. 0: no limit. */
  checkTimeout?: Duration | undefined
  /** A connection held for longer is reported by the event `'leak'`. Default and 0: none is, and nothing is noted. */
  leakThreshold?: Duration | undefined
  /** How many connections are opened side by side. Default: 4. At least 1. */
  connectConcurrency?: number | undefined
  /** How long `setup` and `reset` may take. Default: 10 s. 0: no limit. */
  hookTimeout?: Duration | undefined
  /** How long the server may take to close a connection before it is destroyed. Default: 5 s. 0: no limit. */
  closeTimeout?: Duration | undefined
}

/** The options, checked and complete. Durations are in milliseconds. */
export interface PoolSettings {
  readonly minSize: number
  readonly maxSize: number
  readonly maxQueries: number
  readonly maxInactiveConnectionLifetime: number
  readonly maxLifetime: number
  readonly acquireTimeout: number
  /** `Infinity`: no limit. */
  readonly maxWaiting: number
  readonly checkIdleAfter: number | 'always'
  readonly checkTimeout: number
  readonly leakThreshold: number
  readonly connectConcurrency: number
  readonly hookTimeout: number
  readonly closeTimeout: number
}

/** The names of the options that `resolvePoolSettings` reads. */
export const poolOptionNames: readonly (keyof PoolOptions)[] = [
  'minSize',
  'maxSize',
  'maxQueries',
  'maxInactiveConnectionLifetime',
  'maxLifetime',
  'acquireTimeout',
  'maxWaiting',
  'checkIdleAfter',
  'checkTimeout',
  'leakThreshold',
  'connectConcurrency',
  'hookTimeout',
  'closeTimeout',
]

function wholeNumber(option: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  const shown = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  throw new InterfaceError(`${option}: ${shown} is not a whole number of ${least} or more`)
}

/**
 * The two sizes, checked. `minSize` undefined: as many as `maxSize` allows, up to 10.
 *
 * @throws InterfaceError naming the option where a size is no count or `minSize` exceeds `maxSize`.
 */
export function resolveSizes(
  minSize: number | undefined,
  maxSize: number,
): { minSize: number; maxSize: number } {
  const max = wholeNumber('maxSize', maxSize, 1)
  const min = wholeNumber('minSize', minSize === undefined ? Math.min(10, max) : minSize, 0)
  if (min > max) {
    throw new InterfaceError(
      `minSize ${min} is greater than maxSize ${max}; lower minSize, or raise maxSize to at least ${min}`,
    )
  }
  return { minSize: min, maxSize: max }
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws InterfaceError naming the option that is not what it should be.
 */
export function resolvePoolSettings(input: PoolOptions): PoolSettings {
  const {
    minSize,
    maxSize = 10,
    maxQueries = 50_000,
    maxInactiveConnectionLifetime = 300_000,
    maxLifetime = 3_600_000,
    acquireTimeout = 30_000,
    maxWaiting,
    checkIdleAfter = 1_000,
    checkTimeout = 2_000,
    leakThreshold = 0,
    connectConcurrency = 4,
    hookTimeout = 10_000,
    closeTimeout = 5_000,
  } = input
  return {
    ...resolveSizes(minSize, maxSize),
    maxQueries: wholeNumber('maxQueries', maxQueries, 0),
    maxInactiveConnectionLifetime: parseDuration(
      'maxInactiveConnectionLifetime',
      maxInactiveConnectionLifetime,
    ),
    maxLifetime: parseDuration('maxLifetime', maxLifetime),
    acquireTimeout: parseDuration('acquireTimeout', acquireTimeout),
    maxWaiting:
      maxWaiting === undefined ? Number.POSITIVE_INFINITY : wholeNumber('maxWaiting', maxWaiting, 0),
    checkIdleAfter: checkIdleAfter === 'always' ? 'always' : parseDuration('checkIdleAfter', checkIdleAfter),
    checkTimeout: parseDuration('checkTimeout', checkTimeout),
    leakThreshold: parseDuration('leakThreshold', leakThreshold),
    connectConcurrency: wholeNumber('connectConcurrency', connectConcurrency, 1),
    hookTimeout: parseDuration('hookTimeout', hookTimeout),
    closeTimeout: parseDuration('closeTimeout', closeTimeout),
  }
}
