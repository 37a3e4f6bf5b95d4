import net from 'node:net'
import { BothWays } from './both-ways.ts'
import type { ConnectionKind, ProxiedConnection } from './faults.ts'
import { MessageCutter, type Opening } from './message-cutter.ts'
import { RelayedFlow } from './relayed-flow.ts'
import { resetSocket } from './sockets.ts'

/** Where the proxy leads. */
export type ProxyTarget = { readonly host: string; readonly port: number } | { readonly path: string }

export interface RelayContext {
  readonly target: ProxyTarget
  random(): number
  /** The first packet has told what the connection is for; nothing of it has been passed on yet. */
  recognised(relay: Relay): void
  closed(relay: Relay): void
  /** Code of the test threw. */
  failed(error: unknown): void
}

const kindOf: Readonly<Record<Opening, ConnectionKind>> = {
  session: 'session',
  cancel: 'cancel',
  'encryption-request': 'tls',
  encrypted: 'tls',
  foreign: 'unknown',
}

const ignore = () => {}

/** A client's socket and one to the server, and the two flows between them. */
export class Relay extends BothWays implements ProxiedConnection {
  readonly id: number
  readonly toServer: RelayedFlow
  readonly toClient: RelayedFlow
  readonly closed: Promise<void>
  #kind: ConnectionKind = 'unknown'
  readonly #context: RelayContext
  readonly #client: net.Socket
  #server: net.Socket | undefined
  /** Those that are not closed. */
  #sockets = 0
  #resolveClosed = ignore

  constructor(id: number, client: net.Socket, context: RelayContext) {
    super()
    this.id = id
    this.#client = client
    this.#context = context
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    const fromServer = new MessageCutter('messages')
    const fromClient = new MessageCutter('packets', (opening) => this.#recognise(opening, fromServer))
    const shared = {
      connection: this,
      random: context.random,
      failed: (error: unknown) => {
        context.failed(error)
        this.reset()
      },
    }
    this.toServer = new RelayedFlow({
      ...shared,
      cutter: fromClient,
      receiver: () => this.#server,
      reachReceiver: () => this.#reachServer(),
    })
    this.toClient = new RelayedFlow({
      ...shared,
      cutter: fromServer,
      receiver: () => client,
      reachReceiver: () => client,
    })
  }

  get kind(): ConnectionKind {
    return this.#kind
  }

  get isClosed(): boolean {
    return this.#sockets === 0
  }

  /** From now on bytes pass. */
  begin(): void {
    this.#watch(this.#client, this.toClient)
    this.toServer.readFrom(this.#client)
    // A client that leaves before the server was reached never reaches it.
    this.#client.on('end', () => {
      if (this.#server === undefined) this.#client.destroy()
    })
    this.toClient.begin()
    this.toServer.begin()
  }

  /** Resets at once, and does not wait for a server that is still to answer. */
  abandon(): void {
    for (const flow of [this.toServer, this.toClient]) flow.receiverClosed()
    resetSocket(this.#client)
    if (this.#server?.connecting) this.#server.destroy()
    else if (this.#server !== undefined) resetSocket(this.#server)
  }

  #reachServer(): net.Socket {
    if (this.#server !== undefined) return this.#server
    const server = net.connect({ ...this.#context.target, allowHalfOpen: true, noDelay: true })
    this.#server = server
    this.#watch(server, this.toServer)
    this.toClient.readFrom(server)
    return server
  }

  /** `written`: the flow that ends at this socket. */
  #watch(socket: net.Socket, written: RelayedFlow): void {
    this.#sockets++
    socket.on('error', ignore)
    socket.on('close', () => {
      this.#sockets--
      written.receiverClosed()
      if (this.isClosed) this.#close()
    })
  }

  #close(): void {
    this.toServer.connectionClosed()
    this.toClient.connectionClosed()
    this.#context.closed(this)
    this.#resolveClosed()
  }

  #recognise(opening: Opening, fromServer: MessageCutter): void {
    if (opening === 'encryption-request') fromServer.expectAnswer()
    if (opening === 'encrypted' || opening === 'foreign') fromServer.giveUp()
    const kind = kindOf[opening]
    // What is encrypted, behind the request.
    if (this.#kind === 'tls' && (kind === 'tls' || kind === 'unknown')) return
    this.#kind = kind
    this.#context.recognised(this)
  }
}
