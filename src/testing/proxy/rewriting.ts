import { InterfaceError } from '../../errors.ts'
import type { BytesRewriter, MessageRewriter, ProxiedConnection } from './faults.ts'
import type { MessageCutter, Piece } from './message-cutter.ts'
import { ProtocolMessage } from './protocol-message.ts'

/** What a test makes of the bytes of one way. */
export class Rewriting {
  #ofBytes: BytesRewriter | undefined
  #ofMessages: MessageRewriter | undefined
  /** The parts of a message that is to be rewritten once it is whole. */
  #gathered: Buffer[] = []
  /** The bytes that came before those that a rewriter gets. */
  #offset = 0
  readonly #cutter: MessageCutter
  readonly #connection: ProxiedConnection

  constructor(cutter: MessageCutter, connection: ProxiedConnection) {
    this.#cutter = cutter
    this.#connection = connection
  }

  byBytes(rewriter: BytesRewriter): void {
    this.#ofBytes = rewriter
    this.#ofMessages = undefined
  }

  byMessages(rewriter: MessageRewriter): void {
    this.#ofBytes = undefined
    this.#ofMessages = rewriter
  }

  stop(): void {
    this.#ofBytes = undefined
    this.#ofMessages = undefined
  }

  /** What is passed on in the place of a chunk. */
  apply(chunk: Buffer): Buffer[] {
    // Cut in any case: a rewriter that comes later has to know where a message begins.
    const pieces = this.#cutter.cut(chunk)
    if (this.#ofBytes === undefined) return pieces.flatMap((piece) => this.#piece(piece))
    const gathered = Buffer.concat(this.#gathered.splice(0))
    const bytes = Buffer.concat([gathered, ...pieces.map((piece) => piece.bytes)])
    if (bytes.length === 0) return []
    const offset = this.#offset - gathered.length
    this.#offset = offset + bytes.length
    return [checked(this.#ofBytes(bytes, offset, this.#connection))]
  }

  /** What was kept of something that will not be completed. */
  flush(): Buffer[] {
    return [...this.#gathered.splice(0), this.#cutter.flush()]
  }

  #piece({ bytes, begins, ends, typed }: Piece): Buffer[] {
    this.#offset += bytes.length
    if (this.#ofMessages === undefined) return [...this.#gathered.splice(0), bytes]
    const isPart = this.#gathered.length > 0
    if (!begins && !isPart) return [bytes]
    this.#gathered.push(bytes)
    if (!ends) return []
    const message = parse(Buffer.concat(this.#gathered.splice(0)), typed)
    const replaced = this.#ofMessages(message, this.#connection)
    return (Array.isArray(replaced) ? replaced : [replaced]).map(checked)
  }
}

function parse(bytes: Buffer, typed: boolean): ProtocolMessage {
  if (typed) return new ProtocolMessage(String.fromCharCode(bytes[0]!), bytes.subarray(5))
  return new ProtocolMessage('', bytes.length === 1 ? bytes : bytes.subarray(4))
}

function checked(replaced: unknown): Buffer {
  if (replaced instanceof ProtocolMessage) return replaced.bytes
  if (Buffer.isBuffer(replaced)) return replaced
  throw new InterfaceError('rewriter: must return a Buffer, or messages where it gets messages')
}
