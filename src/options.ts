import { checkOptions } from './connection/check-options.ts'
import type { ConnectOptions } from './connection/connecting/connect-options.ts'
import { connectOptionNames } from './connection/connecting/connect-options.ts'
import type { Connection } from './connection/connection.ts'
import { type SessionOptions, sessionOptionNames } from './connection/session-options.ts'
import { InterfaceError } from './errors.ts'
import type { ConnectionHook } from './hooks.ts'
import { type PoolOptions as PoolingOptions, poolOptionNames } from './pooling/index.ts'

/**
 * Opens a connection in the pool's place, with `connect()`: the pool takes the session over, and the object cannot be
 * used afterwards. It gets the DSN and the options that `connect()` takes, as the pool has them at that moment.
 */
export type ConnectHook = (
  dsn: string | undefined,
  options: ConnectOptions & SessionOptions & { signal: AbortSignal },
) => Promise<Connection>

const resetModes = ['always', 'auto', 'never'] as const

/** The user's own steps in a connection's life. One that throws, or outlasts `hookTimeout`, closes that connection. */
export interface PoolHooks {
  /** Replaces connecting; its failure rejects the caller who waits longest. */
  connect?: ConnectHook | undefined
  /** Runs once a connection, before its first use. What it sets in the session is reset with the rest at the first release. */
  init?: ConnectionHook | undefined
  /** Runs before each hand-out; its failure rejects that caller. */
  setup?: ConnectionHook | undefined
  /**
   * How the session's state is taken back when a connection is released; docs/reset.md tells what that is. An open
   * transaction is rolled back in every mode. `'always'`, the default: all of it, where anything ran. `'auto'`: only
   * what the texts of the statements that ran can have touched. `'never'`: nothing. A function does it in the pool's
   * place, at each release.
   */
  reset?: (typeof resetModes)[number] | ConnectionHook | undefined
}

/** What the pool can watch for its users. */
export interface PoolDiagnostics {
  /**
   * Rejects, with PoolDeadlockError, the newest of the callers who wait for one another: every connection is held by a
   * `use` or `transaction` callback that itself waits for this pool. A call that was begun in a callback counts as its
   * wait even where it is not awaited: such a call is rejected, too, though the callback would have ended. Costs every
   * await of the process a little, through AsyncLocalStorage. Default false.
   */
  detectDeadlocks?: boolean | undefined
  /**
   * Whether statements run by `pool.fetch()` and its kin share connections: quick ones that, by their texts, only read
   * and leave nothing in the session, once each was run alone. Default true. Nothing is shared with a `setup` hook or a
   * `reset` function.
   */
  shareOneShots?: boolean | undefined
  /** Whether the process may end while the pool has only idle connections. Default false: `close()` it first. */
  allowExitOnIdle?: boolean | undefined
}

export interface PoolOptions
  extends ConnectOptions,
    SessionOptions,
    PoolingOptions,
    PoolHooks,
    PoolDiagnostics {}

const hookNames = ['connect', 'init', 'setup'] as const satisfies readonly (keyof PoolHooks)[]
const switches = [
  'detectDeadlocks',
  'allowExitOnIdle',
  'shareOneShots',
] as const satisfies readonly (keyof PoolDiagnostics)[]

/** @throws InterfaceError naming the option that is unknown, or is not what it should be. */
export function checkPoolOptions(options: PoolOptions): void {
  checkOptions(options, [
    ...poolOptionNames,
    ...sessionOptionNames,
    ...connectOptionNames,
    ...hookNames,
    'reset',
    ...switches,
  ])
  for (const name of hookNames) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      const takes = name === 'connect' ? 'gives' : 'takes'
      throw new InterfaceError(`${name}: must be a function that ${takes} a connection`)
    }
  }
  for (const name of switches) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean') {
      throw new InterfaceError(`${name}: must be true or false`)
    }
  }
  const { reset } = options
  if (reset !== undefined && typeof reset !== 'function' && !resetModes.includes(reset)) {
    throw new InterfaceError(
      `reset: ${JSON.stringify(reset)} is none of '${resetModes.join("', '")}', nor a function that takes a connection`,
    )
  }
}
