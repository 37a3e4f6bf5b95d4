import { once } from 'node:events'
import net from 'node:net'
import { InterfaceError } from '../../errors.ts'

const ignore = () => {}

/**
 * A port of 127.0.0.1 that is listened to, or kept from everybody: connections to it are refused then, and nobody else
 * can take it.
 */
export class Listening {
  readonly #accept: (socket: net.Socket) => void
  #server: net.Server | undefined
  #port = 0
  #reservation: Reservation | undefined
  #isClosed = false
  /** One change at a time. */
  #lastChange: Promise<void> = Promise.resolve()

  constructor(accept: (socket: net.Socket) => void) {
    this.#accept = accept
  }

  get port(): number {
    return this.#port
  }

  /**
   * Listens; the first time to any free port.
   *
   * @throws InterfaceError once it was closed.
   */
  open(): Promise<void> {
    return this.#change(async () => {
      if (this.#isClosed) throw new InterfaceError('FaultProxy.accept(): the proxy was closed')
      if (this.#server !== undefined) return
      const server = net.createServer({ allowHalfOpen: true, noDelay: true }, this.#accept)
      await listen(server, this.#port)
      this.#server = server
      this.#port = (server.address() as net.AddressInfo).port
      this.#giveUpReservation()
    })
  }

  /** Refuses. */
  shut(): Promise<void> {
    return this.#change(async () => {
      if (this.#server === undefined) return
      this.#stop()
      this.#reservation = await reserve(this.#port)
    })
  }

  close(): Promise<void> {
    return this.#change(async () => {
      this.#isClosed = true
      this.#stop()
      this.#giveUpReservation()
    })
  }

  #change(change: () => Promise<void>): Promise<void> {
    const changed = this.#lastChange.then(change)
    this.#lastChange = changed.catch(() => {})
    return changed
  }

  #stop(): void {
    this.#server?.close()
    this.#server = undefined
  }

  #giveUpReservation(): void {
    this.#reservation?.end()
    this.#reservation = undefined
  }
}

async function listen(server: net.Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

interface Reservation {
  end(): void
}

/**
 * The system gives nobody a port from which a connection leads: here, one to a server of this process. Where somebody
 * was faster, `open` will tell.
 */
async function reserve(port: number): Promise<Reservation | undefined> {
  const server = net.createServer((accepted) => accepted.on('error', ignore).resume())
  await listen(server, 0)
  const { port: elsewhere } = server.address() as net.AddressInfo
  const socket = net.connect({
    host: '127.0.0.1',
    port: elsewhere,
    localAddress: '127.0.0.1',
    localPort: port,
  })
  try {
    await once(socket, 'connect')
  } catch {
    server.close()
    return undefined
  }
  socket.on('error', ignore)
  return {
    end() {
      socket.resetAndDestroy()
      server.close()
    },
  }
}
