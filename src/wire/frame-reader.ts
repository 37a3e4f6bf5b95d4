import { ConnectionLostError } from '../errors.ts'

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

/**
 * Cuts the incoming bytes into messages. Whole messages are handed on where they lie in the chunk; only a
 * message that is split between chunks is copied, into a buffer that doubles, so that a message of any number
 * of chunks costs time linear in its length.
 */
export class FrameReader {
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
    if (this.#keptLength === 0) {
      const end = this.#cut(chunk, chunk.length)
      if (end < chunk.length) this.#keep(chunk, end)
      return
    }
    this.#append(chunk)
    const kept = this.#kept!
    const length = this.#keptLength
    const end = this.#cut(kept, length)
    if (end === 0) return
    this.#keptLength = length - end
    if (this.#keptLength === 0) this.#kept = undefined
    else kept.copyWithin(0, end, length)
  }

  /** Ends the feeding: the current message is the last one that the sink sees. */
  stop(): void {
    this.#stopped = true
  }

  /** The bytes that were fed and not handed on: what a successor starts with. */
  rest(): Buffer {
    return this.#kept === undefined ? Buffer.alloc(0) : this.#kept.subarray(0, this.#keptLength)
  }

  /** Hands on the whole messages in bytes[0, length) and returns where the first incomplete one starts. */
  #cut(bytes: Buffer, length: number): number {
    let at = 0
    while (length - at >= 5 && !this.#stopped) {
      const size = bytes.readInt32BE(at + 1)
      if (size < 4 || size > this.#longest) {
        throw brokenProtocol(`message ${describeType(bytes[at]!)} has the length ${size}`)
      }
      const end = at + 1 + size
      if (end > length) break
      this.#sink(bytes[at]!, bytes, at + 5, end)
      at = end
    }
    return at
  }

  #keep(chunk: Buffer, from: number): void {
    const rest = chunk.length - from
    const kept = Buffer.allocUnsafeSlow(this.#roomFor(chunk, from, rest))
    chunk.copy(kept, 0, from)
    this.#kept = kept
    this.#keptLength = rest
  }

  /** Enough for the whole message where its length is known and modest; a claimed length alone costs no memory. */
  #roomFor(bytes: Buffer, from: number, have: number): number {
    const claimed = have >= 5 ? bytes.readInt32BE(from + 1) + 1 : 0
    return Math.max(have, Math.min(claimed, 65_536), 256)
  }

  #append(chunk: Buffer): void {
    let kept = this.#kept!
    const needed = this.#keptLength + chunk.length
    if (needed > kept.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, kept.length * 2))
      kept.copy(grown, 0, 0, this.#keptLength)
      this.#kept = kept = grown
    }
    chunk.copy(kept, this.#keptLength)
    this.#keptLength = needed
  }
}

export function describeType(type: number): string {
  return type > 0x20 && type < 0x7f ? `'${String.fromCharCode(type)}'` : `0x${type.toString(16)}`
}
