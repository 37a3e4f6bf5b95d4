/** Messages of the server, for scripts. "Message Formats" (protocol-message-formats). */

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const int16 = (value: number): Buffer => int32(value).subarray(2)

export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`)

export function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

export function authentication(code: number, ...parts: Buffer[]): Buffer {
  return message('R', int32(code), ...parts)
}

export const authenticationOk = authentication(0)
export const saslOffer = (...mechanisms: string[]): Buffer =>
  authentication(10, ...mechanisms.map(cstring), Buffer.of(0))
export const saslContinue = (text: string): Buffer => authentication(11, Buffer.from(text))
export const saslFinal = (text: string): Buffer => authentication(12, Buffer.from(text))

export const parameterStatus = (name: string, value: string): Buffer =>
  message('S', cstring(name), cstring(value))
export const backendKeyData = (processId: number, key: Buffer): Buffer => message('K', int32(processId), key)
export const readyForQuery = (status = 'I'): Buffer => message('Z', Buffer.from(status))

export function report(type: 'E' | 'N', sqlState: string, text: string): Buffer {
  const fields = Object.entries({ S: 'FATAL', V: 'FATAL', C: sqlState, M: text })
  return message(type, ...fields.map(([letter, value]) => cstring(letter + value)), Buffer.of(0))
}

/** All that follows a successful authentication. */
export const welcome: Buffer = Buffer.concat([
  authenticationOk,
  parameterStatus('server_version', '18.0'),
  parameterStatus('client_encoding', 'UTF8'),
  backendKeyData(4711, Buffer.from('key!')),
  readyForQuery(),
])

/** The RowDescription of one column `n` of type int4. */
export const oneInt4: Buffer = message(
  'T',
  int16(1),
  cstring('n'),
  int32(0),
  int16(0),
  int32(23),
  int16(4),
  int32(-1),
  int16(0),
)
