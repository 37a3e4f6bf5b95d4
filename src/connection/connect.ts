import { systemClock } from '../deadline.ts'
import type { ConnectionLostError } from '../errors.ts'
import { checkOptions } from './check-options.ts'
import {
  type ConnectOptions,
  connectOptionNames,
  type ResolvedConnectOptions,
  resolveConnectOptions,
} from './connect-options.ts'
import { Connection, type ConnectionHome } from './connection.ts'
import { establish } from './hosts.ts'
import { Session, type SessionOwner, type SessionSettings } from './session.ts'
import { resolveSessionOptions, type SessionOptions, sessionOptionNames } from './session-options.ts'

/** Opens a session, for a pool or for `connect`. */
export async function openSession(
  target: ResolvedConnectOptions,
  settings: SessionSettings,
  owner: SessionOwner,
  signal: AbortSignal,
): Promise<Session> {
  const established = await establish(target, signal, settings.clock)
  return new Session(established, settings, owner)
}

/** A connection that belongs to its user: given back, it is closed. */
const closes: ConnectionHome = {
  release: (connection) => connection.close(),
}

/**
 * Opens one connection, outside any pool.
 *
 * @throws InterfaceError naming the option or the part of the DSN that is wrong, before anything is opened;
 * ConnectError telling what the servers said; the reason of `signal`, if that is aborted meanwhile.
 */
export async function connect(
  dsn?: string,
  options: ConnectOptions & SessionOptions & { signal?: AbortSignal } = {},
): Promise<Connection> {
  checkOptions(options, [...connectOptionNames, ...sessionOptionNames, 'signal'])
  const target = resolveConnectOptions(dsn, pick(options, connectOptionNames))
  const settings = resolveSessionOptions(options, systemClock)
  let connection: Connection | undefined
  const owner: SessionOwner = {
    lost: (error: ConnectionLostError) => connection?.end(error.message),
    notice: () => {},
  }
  const session = await openSession(target, settings, owner, options.signal ?? new AbortController().signal)
  connection = new Connection(session, closes)
  return connection
}

/** Those of the options that are there. */
export function pick<O extends object, K extends keyof O>(options: O, names: readonly K[]): Pick<O, K> {
  const picked = {} as Pick<O, K>
  for (const name of names) if (options[name] !== undefined) picked[name] = options[name]
  return picked
}
