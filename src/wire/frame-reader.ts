import { ConnectionLostError } from '../errors.ts'
import { int32At } from './big-endian.ts'

/**
 * A backend message is a type byte, an Int32 length that counts itself, and a body ("Message Formats",
 * protocol-message-formats). The server allocates at most 1 GiB for one, so a longer one is not a message.
 */
const longestMessage = 0x4000_0000

/** Takes one whole message: its type, and where its body lies. `bytes` are only valid during the call. */
export type FrameSink = (type: number, bytes: Buffer, start: number, end: number) => void

/** The server sent something that no PostgreSQL server sends. */
export function brokenProtocol(what: string): ConnectionLostError {
  return new ConnectionLostError(
    `the server broke the protocol: ${what}; is a PostgreSQL server at that address?`,
    {
      outcome: 'unknown',
    },
  )
}

const none: Buffer = Buffer.alloc(0)

/** The type and the length. */
const headerLength = 5

/**
 * Cuts the incoming bytes into messages. Whole messages are handed on where they lie in the chunk; only a
 * message that is split between chunks is copied, into a buffer that doubles, so that a message of any number
 * of chunks costs time linear in its length.
 */
export class FrameReader {
  /** The beginning of a message whose end has not come, in the first `#keptLength` bytes. */
  #kept: Buffer | undefined
  #keptLength = 0
  readonly #sink: FrameSink
  readonly #longest: number
  /** Set by `stop`: whatever comes after the message that is being handled stays unread. */
  #stopped = false

  constructor(sink: FrameSink, longest: number = longestMessage) {
    this.#sink = sink
    this.#longest = longest
  }

  /** @throws ConnectionLostError where the bytes cannot be messages, and whatever the sink throws. */
  feed(chunk: Buffer): void {
    const start = this.#kept === undefined || this.#stopped ? 0 : this.#complete(chunk)
    const end = this.#cut(chunk, start)
    if (end < chunk.length) this.#keep(chunk, end, chunk.length)
  }

  /** Ends the feeding: the current message is the last one that the sink sees. */
  stop(): void {
    this.#stopped = true
  }

  /** The bytes that were fed and not handed on: what a successor starts with. */
  rest(): Buffer {
    return this.#kept === undefined ? none : this.#kept.subarray(0, this.#keptLength)
  }

  /** Hands on the whole messages from `start` on, and returns where the first incomplete one starts. */
  #cut(bytes: Buffer, start: number): number {
    const { length } = bytes
    let at = start
    while (length - at >= headerLength && !this.#stopped) {
      const end = at + this.#lengthAt(bytes, at)
      if (end > length) break
      this.#sink(bytes[at]!, bytes, at + headerLength, end)
      at = end
    }
    return at
  }

  /** Adds what the kept message lacks, hands it on once it is whole, and returns where in `chunk` the next one starts. */
  #complete(chunk: Buffer): number {
    const bodyAt = this.#keepUpTo(headerLength, chunk, 0)
    if (this.#keptLength < headerLength) return bodyAt
    const length = this.#lengthAt(this.#kept!, 0)
    const end = this.#keepUpTo(length, chunk, bodyAt)
    if (this.#keptLength < length) return end
    const kept = this.#kept!
    this.#kept = undefined
    this.#keptLength = 0
    this.#sink(kept[0]!, kept, headerLength, length)
    return end
  }

  /** The length of the message at `at`, its type included. */
  #lengthAt(bytes: Buffer, at: number): number {
    const size = int32At(bytes, at + 1)
    if (size < 4 || size > this.#longest) {
      throw brokenProtocol(`message ${describeType(bytes[at]!)} has the length ${size}`)
    }
    return size + 1
  }

  /** Keeps bytes of `chunk` from `at` on, until `length` are kept or it ends; returns where it stopped. */
  #keepUpTo(length: number, chunk: Buffer, at: number): number {
    const end = Math.min(at + Math.max(length - this.#keptLength, 0), chunk.length)
    this.#keep(chunk, at, end)
    return end
  }

  /** A claimed length alone costs no memory: room is made for what has come. */
  #keep(chunk: Buffer, start: number, end: number): void {
    const length = this.#keptLength + end - start
    const kept = this.#kept
    if (kept === undefined || length > kept.length) {
      this.#kept = Buffer.allocUnsafe(Math.max(length, 2 * this.#keptLength))
      kept?.copy(this.#kept, 0, 0, this.#keptLength)
    }
    chunk.copy(this.#kept!, this.#keptLength, start, end)
    this.#keptLength = length
  }
}

export function describeType(type: number): string {
  return type > 0x20 && type < 0x7f ? `'${String.fromCharCode(type)}'` : `0x${type.toString(16)}`
}
