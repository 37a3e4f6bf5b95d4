import { ConnectError } from '../../errors.ts'
import { Frontend } from '../messages.ts'
import { OutBuffer } from '../out-buffer.ts'
import { type Dialogue, expectRequest, nextRequest, Request } from './dialogue.ts'
import { md5Response } from './md5.ts'
import { authenticateSasl } from './sasl.ts'

/** Ways to prove who one is, by libpq's names; `'none'` is a server that does not ask. */
export const authenticationMethods = ['none', 'password', 'md5', 'scram-sha-256'] as const
export type AuthenticationMethod = (typeof authenticationMethods)[number]

/** Whether SCRAM is bound to the TLS connection, so that nobody can sit between two of them. */
export const channelBindings = ['disable', 'prefer', 'require'] as const
export type ChannelBinding = (typeof channelBindings)[number]

export interface AuthenticationPolicy {
  /** The methods that are allowed; `undefined`: all, but a password in the clear only where nobody can listen. */
  readonly requireAuth: readonly AuthenticationMethod[] | undefined
  readonly channelBinding: ChannelBinding
}

export interface Credentials {
  readonly user: string
  readonly password: string | undefined
  readonly policy: AuthenticationPolicy
  /** Whether the connection is encrypted, or does not leave the machine's kernel. */
  readonly confidential: boolean
  /** The server's certificate in DER, where the connection is encrypted. */
  readonly certificate: Buffer | undefined
}

const foreignMethods: Record<number, string> = {
  [Request.KerberosV5]: 'Kerberos V5',
  [Request.ScmCredential]: 'SCM credentials',
  [Request.Gss]: 'GSSAPI',
  [Request.Sspi]: 'SSPI',
}

/**
 * Proves to the server who the user is, by the method that it asks for, up to AuthenticationOk.
 * See "Start-up" (protocol-flow-start-up).
 *
 * A password goes in the clear only over TLS or a Unix-domain socket, or where `requireAuth` names `'password'`:
 * a server that nobody has vouched for could ask for it in order to learn it.
 *
 * @throws ConnectError that is permanent, where the method is unknown or not allowed or no password was given
 */
export async function authenticate(dialogue: Dialogue, credentials: Credentials): Promise<void> {
  const { code, body } = await nextRequest(dialogue)
  switch (code) {
    case Request.Ok:
      return permit(credentials, 'none')
    case Request.CleartextPassword:
      permit(credentials, 'password')
      dialogue.send(passwordMessage(passwordOf(credentials)))
      break
    case Request.Md5Password:
      permit(credentials, 'md5')
      dialogue.send(passwordMessage(md5Response(credentials.user, passwordOf(credentials), body.bytes(4))))
      break
    case Request.Sasl:
      permit(credentials, 'scram-sha-256')
      await authenticateSasl(dialogue, body, passwordOf(credentials), credentials)
      break
    default:
      throw new ConnectError(
        `the server asks for ${foreignMethods[code] ?? `authentication method ${code}`}, which rockpool does not ` +
          'know; offer this user scram-sha-256, md5, password or trust in pg_hba.conf',
        { permanent: true },
      )
  }
  await expectRequest(dialogue, Request.Ok)
}

function permit({ policy, confidential }: Credentials, method: AuthenticationMethod): void {
  const { requireAuth, channelBinding } = policy
  if (requireAuth !== undefined && !requireAuth.includes(method)) {
    throw new ConnectError(
      `the server asks for authentication by ${method}, but requireAuth allows only ${requireAuth.join(', ')}`,
      { permanent: true },
    )
  }
  if (channelBinding === 'require' && method !== 'scram-sha-256') {
    throw new ConnectError(
      `the server asks for authentication by ${method}, which cannot be bound to the channel; ` +
        'channelBinding is required',
      { permanent: true },
    )
  }
  if (method === 'password' && !confidential && requireAuth === undefined) {
    throw new ConnectError(
      'the server asks for the password in the clear over a connection that is not encrypted; encrypt it ' +
        "(ssl: 'require'), let the server use scram-sha-256, or allow it by requireAuth: 'password'",
      { permanent: true },
    )
  }
}

function passwordOf({ user, password }: Credentials): string {
  if (password !== undefined) return password
  throw new ConnectError(
    `the server asks for the password of user "${user}" and none was given; ` +
      'set the option password, PGPASSWORD, or a line of the passfile',
    { permanent: true },
  )
}

/** PasswordMessage: also the shape in which an md5 hash is sent. */
function passwordMessage(password: string): Buffer {
  const out = new OutBuffer(64)
  const lengthAt = out.beginMessage(Frontend.Password)
  out.cstring(password)
  out.endMessage(lengthAt)
  return out.take()
}
