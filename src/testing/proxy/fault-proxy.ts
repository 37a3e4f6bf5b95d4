import type net from 'node:net'
import { checkOptions } from '../../connection/check-options.ts'
import { InterfaceError } from '../../errors.ts'
import { checkFunction } from '../arguments.ts'
import { BothWays } from './both-ways.ts'
import { EveryFlow } from './every-flow.ts'
import { type ConnectionKind, connectionKinds, type OneWayFaults, type ProxiedConnection } from './faults.ts'
import { Listening } from './listening.ts'
import { type ProxyTarget, Relay } from './relay.ts'

/** Where a proxy leads. */
export interface FaultProxyOptions {
  /** The server's host. Default: 127.0.0.1. */
  host?: string | undefined
  /** The server's port. Default: 5432. */
  port?: number | undefined
  /** The server's unix socket, in the place of host and port: `/var/run/postgresql/.s.PGSQL.5432`. */
  path?: string | undefined
  /** For the jitter of delays: from 0 up to, but not including, 1. Default: `Math.random`; a seeded one repeats itself. */
  random?: (() => number) | undefined
}

export type ConnectionListener = (connection: ProxiedConnection) => unknown

interface Listener {
  readonly kind: ConnectionKind | undefined
  readonly call: ConnectionListener
}

/**
 * A network that fails when it is told to: it listens on a port of 127.0.0.1 and passes on what comes to a server,
 * byte by byte as it is, until one of the words of `Faults` is said to it, to a connection, or to one way of either.
 * A server that cannot be reached is told to the client by a reset.
 */
export class FaultProxy extends BothWays implements AsyncDisposable {
  readonly host = '127.0.0.1'
  /** What goes from the clients to the server, on all connections. */
  readonly toServer: OneWayFaults
  /** What goes from the server to the clients, on all connections. */
  readonly toClient: OneWayFaults
  readonly #target: ProxyTarget
  readonly #random: () => number
  readonly #listening = new Listening((socket) => this.#accepted(socket))
  readonly #relays = new Set<Relay>()
  readonly #everyToServer = new EveryFlow(() => this.connections.map((connection) => connection.toServer))
  readonly #everyToClient = new EveryFlow(() => this.connections.map((connection) => connection.toClient))
  readonly #listeners = new Set<Listener>()
  /** Those who wait for a connection, told when there will not be one. */
  readonly #waiters = new Set<() => void>()
  #accepts = 0
  readonly #failures: unknown[] = []

  private constructor(target: ProxyTarget, random: () => number) {
    super()
    this.toServer = this.#everyToServer
    this.toClient = this.#everyToClient
    this.#target = target
    this.#random = random
  }

  /**
   * Starts a proxy on a free port.
   *
   * @throws InterfaceError naming the option that is unknown, or is not what it should be.
   */
  static async start(options: FaultProxyOptions = {}): Promise<FaultProxy> {
    checkOptions(options, ['host', 'port', 'path', 'random'])
    const { random = Math.random } = options
    checkFunction('random', random)
    const proxy = new FaultProxy(resolveTarget(options), random)
    await proxy.#listening.open()
    return proxy
  }

  get port(): number {
    return this.#listening.port
  }

  /** Those that are not closed, the oldest first. */
  get connections(): readonly ProxiedConnection[] {
    return [...this.#relays]
  }

  /**
   * `dsn`, by way of the proxy.
   *
   * @throws InterfaceError where it is no URL with one host.
   */
  through(dsn: string): string {
    if (!/^[a-z]+:\/\//.test(dsn) || !URL.canParse(dsn)) {
      throw new InterfaceError('dsn: must be a URL with one host')
    }
    const url = new URL(dsn)
    for (const name of ['host', 'hostaddr', 'port']) url.searchParams.delete(name)
    url.hostname = this.host
    url.port = String(this.port)
    return url.href
  }

  /** From now on connections are refused, as by a machine on which no server runs. Present ones stay: see `reset()`. */
  refuse(): Promise<void> {
    return this.#listening.shut()
  }

  /**
   * Ends `refuse()`, on the same port.
   *
   * @throws InterfaceError once the proxy was closed.
   */
  accept(): Promise<void> {
    return this.#listening.open()
  }

  /**
   * Calls `listener` with each new connection, before anything of it is passed on and before the server is reached. With
   * a `kind`: with each that turns out to be of it, before its first packet is passed on. The returned function stops
   * it. What a listener throws resets the connection and is thrown by `close()`.
   *
   * @throws InterfaceError where the kind is unknown, or `listener` no function.
   */
  onConnection(listener: ConnectionListener): () => void
  onConnection(kind: ConnectionKind, listener: ConnectionListener): () => void
  onConnection(first: ConnectionKind | ConnectionListener, second?: ConnectionListener): () => void {
    if (typeof first === 'function') return this.#listen({ kind: undefined, call: first })
    checkKind(first)
    checkFunction('listener', second)
    return this.#listen({ kind: first, call: second! })
  }

  /**
   * Resolves with the next connection; with a `kind`, with the next that turns out to be of it.
   *
   * @throws InterfaceError where the kind is unknown, or the proxy is closed before.
   */
  nextConnection(kind?: ConnectionKind): Promise<ProxiedConnection> {
    const next = this.#next(kind)
    next.catch(() => {})
    return next
  }

  /** Resets every connection and stops listening. Rejects with the first error that a listener, action or rewriter threw. */
  async close(): Promise<void> {
    await this.#listening.close()
    for (const giveUp of this.#waiters) giveUp()
    const closed = this.connections.map((connection) => connection.closed)
    for (const relay of this.#relays) relay.abandon()
    await Promise.all(closed)
    if (this.#failures.length > 0) throw this.#failures[0]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #next(kind: ConnectionKind | undefined): Promise<ProxiedConnection> {
    if (kind !== undefined) checkKind(kind)
    return await new Promise((resolve, reject) => {
      const settle = () => {
        stop()
        this.#waiters.delete(giveUp)
      }
      const giveUp = () => {
        settle()
        reject(new InterfaceError('FaultProxy.nextConnection(): the proxy was closed'))
      }
      const call = (connection: ProxiedConnection) => {
        settle()
        resolve(connection)
      }
      const stop = this.#listen({ kind, call })
      this.#waiters.add(giveUp)
    })
  }

  #accepted(client: net.Socket): void {
    const relay = new Relay(++this.#accepts, client, {
      target: this.#target,
      random: this.#random,
      recognised: (connection) => this.#tell(connection, connection.kind),
      closed: (connection) => this.#relays.delete(connection),
      failed: (error) => this.#failures.push(error),
    })
    this.#relays.add(relay)
    this.#everyToServer.imposeOn(relay.toServer)
    this.#everyToClient.imposeOn(relay.toClient)
    this.#tell(relay, undefined)
    relay.begin()
  }

  #tell(connection: ProxiedConnection, kind: ConnectionKind | undefined): void {
    for (const listener of [...this.#listeners]) {
      if (listener.kind !== kind) continue
      try {
        listener.call(connection)
      } catch (error) {
        this.#failures.push(error)
        connection.reset()
      }
    }
  }
}

/** @throws InterfaceError naming the option that is not what it should be. */
function resolveTarget({ host, port, path }: FaultProxyOptions): ProxyTarget {
  if (path !== undefined) {
    if (host !== undefined || port !== undefined) {
      throw new InterfaceError('path: takes the place of host and port; give one or the other')
    }
    if (typeof path !== 'string' || path === '')
      throw new InterfaceError('path: must be that of a unix socket')
    return { path }
  }
  const target = { host: host ?? '127.0.0.1', port: port ?? 5432 }
  if (typeof target.host !== 'string' || target.host === '')
    throw new InterfaceError('host: must be a name or an address')
  if (!Number.isInteger(target.port) || target.port < 1 || target.port > 65_535) {
    throw new InterfaceError(`port: ${String(target.port)} is not a whole number from 1 to 65535`)
  }
  return target
}

/** @throws InterfaceError where there is no such kind. */
function checkKind(kind: unknown): void {
  if (connectionKinds.includes(kind as ConnectionKind)) return
  throw new InterfaceError(`kind: ${JSON.stringify(kind)} is none of '${connectionKinds.join("', '")}'`)
}
