import { InterfaceError } from '../../errors.ts'

/**
 * A message of PostgreSQL's protocol ("Message Formats", protocol-message-formats). `type` is its letter, and `''` where
 * it has none: the packets that a client begins with (StartupMessage, SSLRequest, GSSENCRequest, CancelRequest), and the
 * single byte by which the server answers a request for encryption.
 */
export class ProtocolMessage {
  readonly type: string
  /** What comes behind the length; all of an answer of a single byte. */
  readonly body: Buffer
  /** The whole message as it is sent. */
  readonly bytes: Buffer

  /** @throws InterfaceError where `type` is neither one character of one byte nor empty, or `body` no Buffer. */
  constructor(type: string, body: Buffer = Buffer.alloc(0)) {
    if (typeof type !== 'string' || !/^[\0-\xff]?$/.test(type)) {
      throw new InterfaceError(
        'type: must be one character of one byte, or empty for a packet without a type',
      )
    }
    if (!Buffer.isBuffer(body)) throw new InterfaceError('body: must be a Buffer')
    this.type = type
    this.body = body
    this.bytes = isAnswer(type, body) ? body : encode(type, body)
  }
}

/** No packet of a client's is that short. */
function isAnswer(type: string, body: Buffer): boolean {
  return type === '' && body.length === 1
}

function encode(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + body.length)
  return Buffer.concat([Buffer.from(type, 'latin1'), length, body])
}
