import { type Clock, onAbort, systemClock } from '../../deadline.ts'
import { formatDuration } from '../../duration.ts'
import { ConnectError } from '../../errors.ts'
import { connectFailure } from '../../wire/connect-failure.ts'
import { dismissSession } from '../../wire/question.ts'
import { discard } from '../../wire/socket.ts'
import { type EstablishedSession, startSession } from '../../wire/startup.ts'
import { describeAddress, type ServerAddress } from '../../wire/transport.ts'
import type { ResolvedConnectOptions } from './connect-options.ts'
import { judgeServer, type TargetSessionAttrs } from './server-kind.ts'

/**
 * Opens a session on the first host, in the order given or in a random one (`loadBalanceHosts`), that grants one and
 * is a server of the kind that `targetSessionAttrs` asks for; with `'prefer-standby'`, where no standby grants one,
 * on the first that is none. Each has `connectTimeout` for itself, as libpq's connect_timeout; a name with several
 * addresses counts once. A host that refuses for good does not keep the next ones from being tried.
 *
 * @throws ConnectError telling what each host said or was, permanent where each is (`cause`: the one host's cause, or
 *   an AggregateError of one ConnectError a host); or the reason of `signal`. Nothing stays open then.
 */
export async function establish(
  resolved: ResolvedConnectOptions,
  signal: AbortSignal,
  clock: Clock = systemClock,
  random: () => number = Math.random,
): Promise<EstablishedSession> {
  const { hosts, loadBalanceHosts, targetSessionAttrs } = resolved
  const order = loadBalanceHosts === 'random' ? shuffled(hosts, random) : hosts
  const round = new Round(resolved, signal, clock)
  const session =
    (await round.firstOf(order, targetSessionAttrs)) ??
    (targetSessionAttrs === 'prefer-standby' ? await round.firstOf(round.unfit, 'any') : undefined)
  if (session === undefined) throw round.failure()
  return session
}

/** One search through the hosts, and what became of each. */
class Round {
  readonly #resolved: ResolvedConnectOptions
  readonly #signal: AbortSignal
  readonly #clock: Clock
  readonly #failures = new Map<ServerAddress, ConnectError>()
  /** Those that granted a session, but are of another kind. */
  readonly unfit: ServerAddress[] = []

  constructor(resolved: ResolvedConnectOptions, signal: AbortSignal, clock: Clock) {
    this.#resolved = resolved
    this.#signal = signal
    this.#clock = clock
  }

  /** @throws the reason of the signal */
  async firstOf(
    hosts: readonly ServerAddress[],
    attrs: TargetSessionAttrs,
  ): Promise<EstablishedSession | undefined> {
    for (const address of hosts) {
      try {
        const { session, unfit } = await attempt(this.#resolved, address, attrs, this.#signal, this.#clock)
        if (unfit === undefined) return session
        dismissSession(session)
        this.unfit.push(address)
        this.#failures.set(address, wrongKind(address, unfit, attrs))
      } catch (error) {
        if (this.#signal.aborted) throw this.#signal.reason
        this.#failures.set(address, error as ConnectError)
      }
    }
    return undefined
  }

  failure(): ConnectError {
    const failures = [...this.#failures.values()]
    if (failures.length === 1) return failures[0]!
    return new ConnectError(failures.map(({ message }) => message).join('; '), {
      cause: new AggregateError(failures, `none of ${failures.length} hosts could be connected to`),
      permanent: failures.every(({ permanent }) => permanent),
    })
  }
}

/** One host, within the time for one. */
async function attempt(
  resolved: ResolvedConnectOptions,
  address: ServerAddress,
  attrs: TargetSessionAttrs,
  signal: AbortSignal,
  clock: Clock,
): Promise<{ session: EstablishedSession; unfit: string | undefined }> {
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
    const { tls, user, database, serverSettings, authentication, keepAlive } = resolved
    const request = { address, tls, user, database, password, serverSettings, authentication, keepAlive }
    const started = await startSession(request, ending.signal)
    const judged = await judgeServer(started, attrs, ending.signal).catch((error: unknown) => {
      throw ending.signal.aborted ? ending.signal.reason : connectFailure(address, error)
    })
    // Aborted in the very turn in which the server was ready: the session has no taker.
    if (signal.aborted) discard(judged.session.socket)
    signal.throwIfAborted()
    return judged
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

/** It passes: a standby may be promoted, a server that was read-only may be switched back. */
function wrongKind(address: ServerAddress, is: string, attrs: TargetSessionAttrs): ConnectError {
  return new ConnectError(
    `cannot connect to ${describeAddress(address)}: the server is ${is}, which targetSessionAttrs: '${attrs}' rules out`,
  )
}

/** Every order is as likely as any other (Fisher and Yates). */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const result = [...list]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[result[i], result[j]] = [result[j]!, result[i]!]
  }
  return result
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
