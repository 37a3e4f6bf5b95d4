import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished } from 'vitest'
import { FaultProxy, type FaultProxyOptions, type ProxiedConnection } from '../../../src/testing/index.ts'

/** What one end of a connection sees of the other. */
export class Side {
  readonly socket: net.Socket
  /** The sizes of what came, read by read. */
  readonly reads: number[] = []
  /** `'FIN'`, or the code of the error that came in its place; settles once it comes. */
  readonly ending: Promise<string>
  readonly #chunks: Buffer[] = []
  #length = 0

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      this.reads.push(chunk.length)
    })
    this.ending = new Promise((resolve) => {
      socket.on('end', () => resolve('FIN'))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1')
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** What has come in all, once it is at least so many bytes. */
  async receives(bytes: number): Promise<string> {
    while (this.#length < bytes) await once(this.socket, 'data')
    return this.text
  }
}

export interface Wire {
  proxy: FaultProxy
  client: Side
  connection: ProxiedConnection
  server: Side
}

export interface Line {
  proxy: FaultProxy
  /** The port of the server behind the proxy. */
  serverPort: number
  /** Dials the proxy, and resolves when it has accepted. */
  dial(): Promise<{ client: Side; connection: ProxiedConnection }>
  /** The server's next connection, one after the other. */
  answered(): Promise<Side>
}

/** A proxy in front of a server that only says what the test says. Everything ends with the test. */
export async function startLine(options: Omit<FaultProxyOptions, 'port'> = {}): Promise<Line> {
  const sockets: net.Socket[] = []
  const sides: Side[] = []
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket)
    sides.push(new Side(socket))
    server.emit('side')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const proxy = await FaultProxy.start({ ...options, port })
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    // What a test's own code threw is that test's to expect.
    await proxy.close().catch(() => {})
  })
  return {
    proxy,
    serverPort: port,
    async dial() {
      const accepted = proxy.nextConnection()
      const socket = net.connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true, noDelay: true })
      sockets.push(socket)
      return { client: new Side(socket), connection: await accepted }
    },
    async answered() {
      while (sides.length === 0) await once(server, 'side')
      return sides.shift()!
    },
  }
}

/** The same with one connection that leads through. */
export async function startWire(options: Omit<FaultProxyOptions, 'port'> = {}): Promise<Wire> {
  const line = await startLine(options)
  const { client, connection } = await line.dial()
  return { proxy: line.proxy, client, connection, server: await line.answered() }
}
