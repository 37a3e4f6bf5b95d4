import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Milliseconds that a closing service waits for what a client still has to send, or does not go on reading. */
const patience = 2_000

interface Client {
  /** Answers to what it asked that are not sent to their end. */
  readonly owed: Set<ServerResponse>
  /** The bytes read from it up to its last answer: any more are the beginning of a request. */
  readUpTo: number
}

/**
 * The clients of an HTTP server, for its end. Node alone waits without limit for a client that sends nothing, or not
 * all of its request, and cuts off an answer that is written but not yet read.
 *
 * Once `end` was called, a client stays only
 * - for answers to requests that were received wholly, as long as it goes on reading them;
 * - for 2 seconds, where it has begun to send a request.
 */
export class HttpClients {
  readonly #server: Server
  readonly #clients = new Map<Socket, Client>()
  #phase: 'serving' | 'receiving' | 'answering' = 'serving'

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.#add(socket))
    server.on('request', ({ socket }, response) => this.#owe(socket, response))
  }

  /** Tells those that wait for an answer not to ask again on the same connection. */
  announceEnd(): void {
    for (const { owed } of this.#clients.values()) {
      for (const response of owed) if (!response.headersSent) response.setHeader('connection', 'close')
    }
  }

  /** Lets go of every client as soon as it has got what it is owed. */
  end(): void {
    if (this.#phase !== 'serving') return
    this.#phase = 'receiving'
    this.#server.on('timeout', destroyIfStalled)
    for (const socket of this.#clients.keys()) {
      socket.setTimeout(patience)
      this.#letGo(socket)
    }
    const limit = setTimeout(() => {
      this.#phase = 'answering'
      for (const socket of this.#clients.keys()) this.#letGo(socket)
    }, patience)
    this.#server.once('close', () => clearTimeout(limit))
  }

  #add(socket: Socket): void {
    this.#clients.set(socket, { owed: new Set(), readUpTo: 0 })
    socket.once('close', () => this.#clients.delete(socket))
  }

  #owe(socket: Socket, response: ServerResponse): void {
    const client = this.#clients.get(socket)
    if (client === undefined) return
    client.owed.add(response)
    response.once('close', () => {
      client.owed.delete(response)
      client.readUpTo = socket.bytesRead
      this.#letGo(socket)
    })
  }

  /** Destroys the socket where nothing speaks for its staying. */
  #letGo(socket: Socket): void {
    const client = this.#clients.get(socket)
    if (client === undefined || this.#phase === 'serving') return
    const { owed, readUpTo } = client
    const stays =
      this.#phase === 'receiving'
        ? owed.size > 0 || socket.bytesRead > readUpTo
        : [...owed].some(({ req }) => req.complete)
    if (!stays) socket.destroy()
  }
}

/** Silence while the handler works is no stall: only what is written and not taken is. */
function destroyIfStalled(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy()
}
