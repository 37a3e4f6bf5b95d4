import { checkOptions } from './connection/check-options.ts'
import type { ConnectOptions } from './connection/connect-options.ts'
import { connectOptionNames } from './connection/connect-options.ts'
import type { Connection } from './connection/connection.ts'
import { type SessionOptions, sessionOptionNames } from './connection/session-options.ts'
import { InterfaceError } from './errors.ts'
import { type PoolOptions as PoolingOptions, poolOptionNames } from './pooling/index.ts'

/** The user's own steps in a connection's life. One that throws, or outlasts `hookTimeout`, closes that connection. */
export interface PoolHooks {
  /** Runs once a connection, before its first use. What it sets in the session is reset with the rest at the first release. */
  init?: ((connection: Connection) => Promise<void> | void) | undefined
  /** Runs before each hand-out; its failure rejects that caller. */
  setup?: ((connection: Connection) => Promise<void> | void) | undefined
}

export interface PoolOptions extends ConnectOptions, SessionOptions, PoolingOptions, PoolHooks {}

const hookNames = ['init', 'setup'] as const satisfies readonly (keyof PoolHooks)[]

/** @throws InterfaceError naming the option that is unknown, or the hook that is no function. */
export function checkPoolOptions(options: PoolOptions): void {
  checkOptions(options, [...poolOptionNames, ...sessionOptionNames, ...connectOptionNames, ...hookNames])
  for (const name of hookNames) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      throw new InterfaceError(`${name}: must be a function that takes a connection`)
    }
  }
}
