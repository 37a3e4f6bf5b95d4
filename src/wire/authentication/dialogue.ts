import { brokenProtocol, describeType } from '../frame-reader.ts'
import type { Message } from '../inbox.ts'
import { Backend, type BodyReader } from '../messages.ts'

/** The conversation with the server; `next` has dealt with notices and errors. */
export interface Dialogue {
  next(): Promise<Message>
  send(message: Buffer): void
}

/** The Int32 that an Authentication message starts with. "Message Formats" (protocol-message-formats). */
export const Request = {
  Ok: 0,
  KerberosV5: 2,
  CleartextPassword: 3,
  Md5Password: 5,
  ScmCredential: 6,
  Gss: 7,
  Sspi: 9,
  Sasl: 10,
  SaslContinue: 11,
  SaslFinal: 12,
} as const

/** The body of the next message, which must be the Authentication message `code`. */
export async function expectRequest(dialogue: Dialogue, code: number): Promise<BodyReader> {
  const request = await nextRequest(dialogue)
  if (request.code === code) return request.body
  throw brokenProtocol(`authentication request ${request.code} where ${code} is due`)
}

export async function nextRequest(dialogue: Dialogue): Promise<{ code: number; body: BodyReader }> {
  const { type, body } = await dialogue.next()
  if (type === Backend.Authentication) return { code: body.int32(), body }
  throw brokenProtocol(`message ${describeType(type)} during the authentication`)
}
