import type { PoolOptions } from 'rockpool'

export interface Config {
  host: string
  /** 0: any free one. */
  port: number
  /** Without it, the service runs a database of its own. */
  databaseUrl: string | undefined
  /** Where that database lives; `undefined`: in the project. */
  dataFolder: string | undefined
  pool: PoolOptions
}

/** An environment variable has a value that the service cannot work with. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** What costs every request a little, and tells its author of connections that are held too long or wait for each other. */
const whileDeveloping = { leakThreshold: '30s', detectDeadlocks: true } as const

/**
 * The service's settings from its environment. An empty variable counts as unset.
 *
 * @throws ConfigError naming the variable.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const maxSize = wholeNumber(env, 'POOL_MAX_SIZE', { from: 1 }) ?? 20
  const minSize = wholeNumber(env, 'POOL_MIN_SIZE', { from: 0 }) ?? Math.min(10, maxSize)
  if (minSize > maxSize) {
    throw new ConfigError(`POOL_MIN_SIZE ${minSize} is greater than POOL_MAX_SIZE ${maxSize}: change either`)
  }
  const acquireTimeout = duration(env, 'POOL_ACQUIRE_TIMEOUT')
  return {
    host: text(env, 'HOST') ?? '127.0.0.1',
    port: wholeNumber(env, 'PORT', { from: 0, to: 65_535 }) ?? 3000,
    databaseUrl: text(env, 'DATABASE_URL'),
    dataFolder: text(env, 'ROCKPOOL_DATA_DIR'),
    pool: {
      minSize,
      maxSize,
      commandTimeout: duration(env, 'POOL_COMMAND_TIMEOUT') ?? '60s',
      maxQueries: wholeNumber(env, 'POOL_MAX_QUERIES', { from: 0 }) ?? 50_000,
      maxInactiveConnectionLifetime: duration(env, 'POOL_MAX_INACTIVE_CONNECTION_LIFETIME') ?? '300s',
      ...(acquireTimeout !== undefined && { acquireTimeout }),
      ...(text(env, 'NODE_ENV') !== 'production' && whileDeveloping),
    },
  }
}

function text(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}

function wholeNumber(
  env: NodeJS.ProcessEnv,
  name: string,
  { from, to = Number.MAX_SAFE_INTEGER }: { from: number; to?: number },
): number | undefined {
  const value = text(env, name)
  if (value === undefined) return undefined
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (number >= from && number <= to) return number
  const range = to === Number.MAX_SAFE_INTEGER ? `from ${from} up` : `from ${from} to ${to}`
  throw new ConfigError(`${name}: ${JSON.stringify(value)} is not a whole number ${range}`)
}

function duration(env: NodeJS.ProcessEnv, name: string): string | number | undefined {
  const value = text(env, name)
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value)
  if (/^\d+(\.\d+)?\s*(ms|s|min|h|d)$/.test(value)) return value
  throw new ConfigError(
    `${name}: ${JSON.stringify(value)} is not a duration: give milliseconds (500) or a unit (500ms, 60s, 5min)`,
  )
}
