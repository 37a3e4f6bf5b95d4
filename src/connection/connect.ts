import { systemClock } from '../deadline.ts'
import { ConnectionLostError, InterfaceError } from '../errors.ts'
import { checkOptions } from './check-options.ts'
import {
  type ConnectOptions,
  connectOptionNames,
  type ResolvedConnectOptions,
  resolveConnectOptions,
} from './connecting/connect-options.ts'
import { establish } from './connecting/hosts.ts'
import { Connection, type ConnectionHome } from './connection.ts'
import { Session, type SessionOwner, type SessionSettings } from './session.ts'
import { resolveSessionOptions, type SessionOptions, sessionOptionNames } from './session-options.ts'

/** Opens a session, for a pool or for `connect`. */
export async function openSession(
  target: ResolvedConnectOptions,
  settings: SessionSettings,
  owner: SessionOwner,
  signal: AbortSignal,
): Promise<Session> {
  // Not by the session's clock: whoever waits for a connection that is being opened is to have it, or the limit.
  const established = await establish(target, signal)
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
  const losses: ConnectionLostError[] = []
  const owner: SessionOwner = { lost: (error) => losses.push(error), listenerFailed: warnProcess }
  const session = await openSession(target, settings, owner, options.signal ?? new AbortController().signal)
  const connection = new Connection(session, closes)
  opened.set(connection, { session, losses })
  return connection
}

/** Nobody else is there to be told. */
function warnProcess(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}

/** Those that `connect` opened, and whether they died by themselves: their users may hand them to a pool. */
const opened = new WeakMap<Connection, { session: Session; losses: readonly ConnectionLostError[] }>()

/**
 * Takes the session out of a connection from `connect()`, which cannot be used afterwards. `owner` is told what
 * happens to it from now on.
 *
 * @throws InterfaceError where the connection is another's, was closed, or has something running or a transaction open;
 * ConnectionLostError where it died by itself.
 */
export function takeOver(connection: Connection, owner: SessionOwner): Session {
  const own = opened.get(connection)
  if (own === undefined) {
    throw new InterfaceError(
      'the connect hook must give a connection that connect() opened, and each only once',
    )
  }
  const { session, losses } = own
  if (losses.length > 0) {
    throw new ConnectionLostError(
      'the connection that the connect hook gave was lost before the pool had it',
      {
        cause: losses[0],
      },
    )
  }
  if (connection.isClosed) throw new InterfaceError('the connect hook gave a connection that is closed')
  if (!session.isIdle || session.transactionStatus !== 'I') {
    void connection.terminate()
    throw new InterfaceError(
      'the connect hook gave a connection with a statement running or a transaction open; end it first',
    )
  }
  opened.delete(connection)
  connection.end('connection was handed to its pool')
  session.adopt(owner)
  return session
}

/** Those of the options that are there. */
export function pick<O extends object, K extends keyof O>(options: O, names: readonly K[]): Pick<O, K> {
  const picked = {} as Pick<O, K>
  for (const name of names) if (options[name] !== undefined) picked[name] = options[name]
  return picked
}
