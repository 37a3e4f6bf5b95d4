import { ConnectError } from '../../errors.ts'
import { type BodyReader, Frontend } from '../messages.ts'
import { OutBuffer } from '../out-buffer.ts'
import type { Credentials } from './authenticate.ts'
import { endPointData } from './channel-binding.ts'
import { type Dialogue, expectRequest, Request } from './dialogue.ts'
import { type Binding, ScramExchange } from './scram.ts'

const plain = 'SCRAM-SHA-256'
const bound = 'SCRAM-SHA-256-PLUS'

/** "SASL Authentication" (sasl-authentication): the exchange from AuthenticationSASL to AuthenticationSASLFinal. */
export async function authenticateSasl(
  dialogue: Dialogue,
  offer: BodyReader,
  password: string,
  credentials: Credentials,
): Promise<void> {
  const { mechanism, binding } = chooseMechanism(readMechanisms(offer), credentials)
  const exchange = new ScramExchange(credentials.user, password, binding)
  dialogue.send(initialResponse(mechanism, exchange.clientFirst))
  const serverFirst = await expectRequest(dialogue, Request.SaslContinue)
  dialogue.send(response(await exchange.clientFinal(serverFirst.bytes().toString('utf8'))))
  const serverFinal = await expectRequest(dialogue, Request.SaslFinal)
  exchange.verify(serverFinal.bytes().toString('utf8'))
}

function readMechanisms(offer: BodyReader): string[] {
  const mechanisms: string[] = []
  for (let name = offer.cstring(); name !== ''; name = offer.cstring()) mechanisms.push(name)
  return mechanisms
}

/**
 * Bound to the channel where both sides can. Where only we can, that is said (`y`): a server that can as well knows
 * then that its offer was tampered with (RFC 5802, section 6).
 */
function chooseMechanism(
  offered: string[],
  { policy, certificate }: Credentials,
): { mechanism: string; binding: Binding } {
  const data = policy.channelBinding === 'disable' || !certificate ? undefined : endPointData(certificate)
  if (data !== undefined && offered.includes(bound)) return { mechanism: bound, binding: { flag: 'p', data } }
  if (policy.channelBinding === 'require') {
    throw new ConnectError(
      `channelBinding is required, but ${data === undefined ? 'this connection cannot be bound (it needs TLS)' : 'the server does not offer it'}`,
      { permanent: true },
    )
  }
  if (offered.includes(plain)) {
    return { mechanism: plain, binding: { flag: data === undefined ? 'n' : 'y' } }
  }
  throw new ConnectError(
    `the server offers the SASL mechanisms ${offered.join(', ') || '(none)'}; rockpool knows ${plain} and ${bound}`,
    { permanent: true },
  )
}

function initialResponse(mechanism: string, data: string): Buffer {
  const out = new OutBuffer(128)
  const lengthAt = out.beginMessage(Frontend.Password)
  out.cstring(mechanism)
  out.int32(Buffer.byteLength(data))
  out.text(data)
  out.endMessage(lengthAt)
  return out.take()
}

function response(data: string): Buffer {
  const out = new OutBuffer(256)
  const lengthAt = out.beginMessage(Frontend.Password)
  out.text(data)
  out.endMessage(lengthAt)
  return out.take()
}
