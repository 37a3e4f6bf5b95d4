import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { onTestFinished } from 'vitest'
import type { SessionRequest } from '../../../src/wire/startup.ts'
import type { ServerAddress } from '../../../src/wire/transport.ts'

/** One connection, as a server that plays a script sees it. */
export class Peer {
  socket: net.Socket
  #received = Buffer.alloc(0)
  #ended = false
  #wake = () => {}
  readonly #take = (chunk: Buffer) => {
    this.#received = Buffer.concat([this.#received, chunk])
    this.#wake()
  }

  constructor(socket: net.Socket) {
    this.socket = socket
    this.#listen(socket)
  }

  #listen(socket: net.Socket): void {
    socket.on('data', this.#take)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  send(...parts: Buffer[]): void {
    this.socket.write(Buffer.concat(parts))
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#wake
      this.#wake = () => {
        before()
        resolve()
      }
    })
  }

  async read(bytes: number): Promise<Buffer> {
    while (this.#received.length < bytes) {
      if (this.#ended) throw new Error('the client has left')
      await this.#woken()
    }
    const read = this.#received.subarray(0, bytes)
    this.#received = this.#received.subarray(bytes)
    return read
  }

  /** A packet without a type: StartupMessage, SSLRequest, CancelRequest. */
  async packet(): Promise<Buffer> {
    const length = (await this.read(4)).readInt32BE()
    return await this.read(length - 4)
  }

  /** The parameters of the StartupMessage. */
  async startup(): Promise<Map<string, string>> {
    const texts = (await this.packet()).subarray(4).toString().split('\0')
    const parameters = new Map<string, string>()
    for (let i = 0; i + 1 < texts.length && texts[i] !== ''; i += 2) parameters.set(texts[i]!, texts[i + 1]!)
    return parameters
  }

  /** A message from the client: a password, a SASL response. */
  async message(): Promise<Buffer> {
    await this.read(1)
    return await this.packet()
  }

  /** Agrees to TLS, and goes on over it. */
  async encrypt(options: tls.TlsOptions): Promise<void> {
    await this.packet()
    this.socket.off('data', this.#take)
    this.socket.write('S')
    const encrypted = new tls.TLSSocket(this.socket, { isServer: true, ...options })
    this.socket = encrypted
    this.#listen(encrypted)
  }

  /** Resolves once the client has closed. */
  async left(): Promise<void> {
    while (!this.#ended) await this.#woken()
  }
}

export interface ScriptedServer {
  address: ServerAddress
  /** Every connection so far, the first first. */
  peers: Peer[]
  /** Resolves with the connection of this number, counted from 0. */
  peer(index: number): Promise<Peer>
}

/** A server on loopback that plays `script` on every connection; it goes when the test ends. */
export async function scriptedServer(
  script: (peer: Peer, index: number) => unknown = () => {},
  host = '127.0.0.1',
): Promise<ScriptedServer> {
  const peers: Peer[] = []
  const server = net.createServer((socket) => {
    const peer = new Peer(socket)
    const index = peers.push(peer) - 1
    server.emit('peer')
    Promise.resolve(script(peer, index)).catch(() => socket.destroy())
  })
  server.listen(0, host)
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const { socket } of peers) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    address: { host, port: (server.address() as net.AddressInfo).port },
    peers,
    async peer(index) {
      while (peers.length <= index) await once(server, 'peer')
      return peers[index]!
    },
  }
}

/** What one attempt to reach `address` needs, in its simplest form. */
export function sessionRequest(
  address: ServerAddress,
  changes: Partial<SessionRequest> = {},
): SessionRequest {
  return {
    address,
    tls: undefined,
    user: 'app',
    database: 'tasks',
    password: undefined,
    serverSettings: {},
    authentication: { requireAuth: undefined, channelBinding: 'prefer' },
    keepAlive: 0,
    ...changes,
  }
}

/** A signal that nobody aborts. */
export const never = new AbortController().signal
