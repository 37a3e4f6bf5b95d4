import { onAbort } from '../deadline.ts'
import { ConnectError } from '../errors.ts'
import { brokenProtocol, FrameReader } from './frame-reader.ts'
import { Backend, BodyReader } from './messages.ts'
import { discard, type Socket } from './socket.ts'

export interface Message {
  type: number
  body: BodyReader
}

/** No message of the start-up comes near it; an ErrorResponse with all its fields is the longest. */
const longestMessage = 65_536
/** All of them together: the server is not yet known, and must not fill the memory. */
const mostBytes = 1_048_576

/**
 * The messages of a session that is being started, one at a time. The start-up is a dialogue, so that it reads
 * best as one; from the ReadyForQuery on, whose reading leaves the socket paused, a faster reader takes over.
 */
export class Inbox {
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #messages: Message[] = []
  readonly #stopWatching: () => void
  #bytes = 0
  #failure: { error: unknown } | undefined
  #waiting: { resolve: (message: Message) => void; reject: (error: unknown) => void } | undefined

  /** @param rest bytes that were read before, and come first */
  constructor(socket: Socket, signal: AbortSignal, rest: Buffer = Buffer.alloc(0)) {
    this.#socket = socket
    this.#reader = new FrameReader(
      (type, bytes, start, end) => this.#take(type, bytes, start, end),
      longestMessage,
    )
    socket.on('error', this.#fail)
    socket.on('close', this.#closed)
    this.#stopWatching = onAbort(signal, this.#fail)
    if (rest.length > 0) this.#feed(rest)
    socket.on('data', this.#feed)
    socket.resume()
  }

  /** The next message. @throws once the socket has failed, or the signal was aborted, and no message is left. */
  next(): Promise<Message> {
    const message = this.#messages.shift()
    if (message !== undefined) return Promise.resolve(message)
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /**
   * Ends the reading for good, and returns the bytes that were read and belong to the successor.
   *
   * @throws where the socket has failed, or the signal was aborted, though every message had come: there is nothing left
   * to succeed to, and whoever waited for the socket to close would wait in vain
   */
  handOver(): Buffer {
    this.release()
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#reader.rest()
  }

  /** Takes every listener off the socket. */
  release(): void {
    this.#stopWatching()
    this.#socket.off('data', this.#feed)
    this.#socket.off('close', this.#closed)
    this.#socket.off('error', this.#fail)
  }

  readonly #feed = (chunk: Buffer): void => {
    this.#bytes += chunk.length
    try {
      this.#reader.feed(chunk)
      if (this.#bytes > mostBytes) throw brokenProtocol(`the start-up takes more than ${mostBytes} bytes`)
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === Backend.ReadyForQuery) {
      this.#reader.stop()
      this.#socket.pause()
    }
    const copy = Buffer.from(bytes.subarray(start, end))
    const message = { type, body: new BodyReader(copy, 0, copy.length) }
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#messages.push(message)
    else waiting.resolve(message)
  }

  readonly #closed = (): void => {
    this.#fail(new ConnectError('the server closed the connection before it was ready'))
  }

  readonly #fail = (error: unknown): void => {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.release()
    discard(this.#socket)
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
