import { type Clock, onAbort, systemClock } from '../deadline.ts'
import { formatDuration } from '../duration.ts'
import { ConnectError } from '../errors.ts'
import { connectFailure } from '../wire/connect-failure.ts'
import { discard } from '../wire/socket.ts'
import { type EstablishedSession, startSession } from '../wire/startup.ts'
import { describeAddress, type ServerAddress } from '../wire/transport.ts'
import type { ResolvedConnectOptions } from './connect-options.ts'

/**
 * Opens a session on the first host, in the order given, that grants one. Each has `connectTimeout` for itself, as
 * libpq's connect_timeout; a name with several addresses counts once. A host that refuses for good does not keep the
 * next ones from being tried.
 *
 * @throws ConnectError telling what each host said, permanent where each is (`cause`: the one host's cause, or an
 *   AggregateError of one ConnectError a host); or the reason of `signal`. Nothing stays open then.
 */
export async function establish(
  resolved: ResolvedConnectOptions,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<EstablishedSession> {
  const failures: ConnectError[] = []
  for (const address of resolved.hosts) {
    try {
      return await attempt(resolved, address, signal, clock)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      failures.push(error as ConnectError)
    }
  }
  if (failures.length === 1) throw failures[0]
  throw new ConnectError(failures.map(({ message }) => message).join('; '), {
    cause: new AggregateError(failures, `none of ${failures.length} hosts could be connected to`),
    permanent: failures.every(({ permanent }) => permanent),
  })
}

/** One host, within the time for one. */
async function attempt(
  resolved: ResolvedConnectOptions,
  address: ServerAddress,
  signal: AbortSignal,
  clock: Clock,
): Promise<EstablishedSession> {
  signal.throwIfAborted()
  const ending = new AbortController()
  const { connectTimeout } = resolved
  const timer =
    connectTimeout === 0
      ? undefined
      : clock.setTimer(connectTimeout, () => ending.abort(timedOut(address, connectTimeout)))
  const stopWatching = onAbort(signal, (reason) => ending.abort(reason))
  try {
    const password = await askPassword(resolved, address, ending.signal)
    const session = await startSession(
      {
        address,
        tls: resolved.tls,
        user: resolved.user,
        database: resolved.database,
        password,
        serverSettings: resolved.serverSettings,
        authentication: resolved.authentication,
      },
      ending.signal,
    )
    // Aborted in the very turn in which the server was ready: the session has no taker.
    if (signal.aborted) discard(session.socket)
    signal.throwIfAborted()
    return session
  } finally {
    timer?.cancel()
    stopWatching()
  }
}

function timedOut(address: ServerAddress, ms: number): ConnectError {
  return new ConnectError(
    `cannot connect to ${describeAddress(address)}: not ready within ${formatDuration(ms)} (connectTimeout)`,
  )
}

/** A function that never answers must not outlast the attempt; a late answer is dropped. */
async function askPassword(
  resolved: ResolvedConnectOptions,
  address: ServerAddress,
  signal: AbortSignal,
): Promise<string | undefined> {
  let stopWatching = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stopWatching = onAbort(signal, reject)
  })
  try {
    return await Promise.race([resolved.password(address), aborted])
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw connectFailure(address, error)
  } finally {
    stopWatching()
  }
}
