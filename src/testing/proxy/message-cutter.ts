/** A whole message, or a part of one. */
export interface Piece {
  readonly bytes: Buffer
  readonly begins: boolean
  readonly ends: boolean
  /** Whether the message begins with a type byte. */
  readonly typed: boolean
}

/**
 * What a client begins with: a StartupMessage, a CancelRequest, a request for encryption (SSLRequest, GSSENCRequest),
 * TLS itself, or something that is not PostgreSQL's.
 */
export type Opening = 'session' | 'cancel' | 'encryption-request' | 'encrypted' | 'foreign'

/** What the bytes of one way are at the moment: `opaque` are those that are encrypted, or not PostgreSQL's protocol. */
type Phase = 'packets' | 'answer' | 'messages' | 'opaque'

const requests: Readonly<Record<number, Opening>> = {
  80877102: 'cancel',
  80877103: 'encryption-request',
  80877104: 'encryption-request',
}

const tlsHandshake = 0x16

/** The server's limits: MAX_STARTUP_PACKET_LENGTH, and what it allocates at most for a message. */
const longestPacket = 10_000
const longestMessage = 0x4000_0000

/**
 * Finds where the messages of one way begin and end: each chunk is cut at those places, and nothing is kept but a
 * client's packet without a type, until all of it is there. See "Message Flow" (protocol-flow) in the PostgreSQL
 * documentation.
 */
export class MessageCutter {
  #phase: Phase
  #packet: Buffer = Buffer.alloc(0)
  /** Type and length of the message that is being cut, and how much of them has come. */
  readonly #head = Buffer.alloc(5)
  #headBytes = 0
  /** What is still to come of it behind them. */
  #left = 0
  readonly #onOpening: (opening: Opening) => void

  /** @param onOpening is told what a client begins with, before that is given out. */
  constructor(phase: 'packets' | 'messages', onOpening: (opening: Opening) => void = () => {}) {
    this.#phase = phase
    this.#onOpening = onOpening
  }

  /** What comes next is the single byte that answers a request for encryption. */
  expectAnswer(): void {
    this.#phase = 'answer'
  }

  /** Nothing that comes is looked at any more. */
  giveUp(): void {
    this.#phase = 'opaque'
  }

  cut(chunk: Buffer): Piece[] {
    const pieces: Piece[] = []
    for (let rest = chunk; rest.length > 0; ) rest = this.#take(rest, pieces)
    return pieces
  }

  /** What was kept, where nothing more will come. */
  flush(): Buffer {
    const packet = this.#packet
    this.#packet = Buffer.alloc(0)
    return packet
  }

  /** Cuts something off and returns the rest. */
  #take(bytes: Buffer, pieces: Piece[]): Buffer {
    switch (this.#phase) {
      case 'packets':
        return this.#takePacket(bytes, pieces)
      case 'answer':
        return this.#takeAnswer(bytes, pieces)
      case 'messages':
        return this.#takeMessage(bytes, pieces)
      case 'opaque':
        pieces.push({ bytes, begins: false, ends: false, typed: false })
        return bytes.subarray(bytes.length)
    }
  }

  #takePacket(bytes: Buffer, pieces: Piece[]): Buffer {
    const packet = Buffer.concat([this.#packet, bytes])
    this.#packet = packet
    const nothing = packet.subarray(packet.length)
    // The length of a packet begins with 0.
    if (packet[0] !== 0) return this.#open(packet[0] === tlsHandshake ? 'encrypted' : 'foreign')
    if (packet.length < 8) return nothing
    const length = packet.readInt32BE(0)
    const opening = requests[packet.readInt32BE(4)] ?? (packet.readInt16BE(4) === 3 ? 'session' : 'foreign')
    if (length < 8 || length > longestPacket || opening === 'foreign') return this.#open('foreign')
    if (packet.length < length) return nothing
    this.#open(opening)
    pieces.push({ bytes: packet.subarray(0, length), begins: true, ends: true, typed: false })
    return packet.subarray(length)
  }

  /** Returns what was kept. */
  #open(opening: Opening): Buffer {
    if (opening === 'encrypted' || opening === 'foreign') this.#phase = 'opaque'
    else if (opening !== 'encryption-request') this.#phase = 'messages'
    this.#onOpening(opening)
    return this.flush()
  }

  /** `S` and `G`: what follows is encrypted. `E`: an ErrorResponse of a server that does not know the request. */
  #takeAnswer(bytes: Buffer, pieces: Piece[]): Buffer {
    const answer = String.fromCharCode(bytes[0]!)
    this.#phase = answer === 'S' || answer === 'G' ? 'opaque' : 'messages'
    if (answer === 'E') return bytes
    pieces.push({ bytes: bytes.subarray(0, 1), begins: true, ends: true, typed: false })
    return bytes.subarray(1)
  }

  #takeMessage(bytes: Buffer, pieces: Piece[]): Buffer {
    const begins = this.#headBytes === 0
    const ofHead = bytes.copy(this.#head, this.#headBytes, 0, this.#head.length - this.#headBytes)
    this.#headBytes += ofHead
    if (ofHead > 0 && this.#headBytes === this.#head.length) {
      const length = this.#head.readInt32BE(1)
      if (length < 4 || length > longestMessage) this.#phase = 'opaque'
      this.#left = Math.max(0, length - 4)
    }
    const ofBody = Math.min(this.#left, bytes.length - ofHead)
    this.#left -= ofBody
    const ends = this.#headBytes === this.#head.length && this.#left === 0
    if (ends) this.#headBytes = 0
    const end = ofHead + ofBody
    pieces.push({ bytes: bytes.subarray(0, end), begins, ends, typed: true })
    return bytes.subarray(end)
  }
}
