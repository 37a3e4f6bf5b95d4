import net from 'node:net'
import tls from 'node:tls'
import { ConnectError } from '../errors.ts'
import { OutBuffer } from './out-buffer.ts'
import { opening } from './socket.ts'

/** What of the server's certificate is checked: nothing, its chain of issuers, or the chain and the host's name. */
export type CertificateCheck = 'none' | 'chain' | 'chain-and-name'

/** How TLS begins: asked for by SSLRequest, or `direct`ly with the handshake, which PostgreSQL 17 and later know. */
export type TlsNegotiation = 'postgres' | 'direct'

/** PostgreSQL's name for Application-Layer Protocol Negotiation (RFC 7301). */
const protocolName = 'postgresql'

/** How a session is encrypted. Keys stay out of `util.inspect` and JSON. */
export class TlsSettings {
  /** `false`: where encryption cannot be had, the session goes on without. */
  readonly mandatory: boolean
  readonly check: CertificateCheck
  /** `'direct'` only where encryption is mandatory: there is no answer by which it could be refused. */
  readonly negotiation: TlsNegotiation
  readonly #options: tls.ConnectionOptions
  #context: tls.SecureContext | undefined

  constructor(
    mandatory: boolean,
    check: CertificateCheck,
    options: tls.ConnectionOptions,
    negotiation: TlsNegotiation = 'postgres',
  ) {
    this.mandatory = mandatory
    this.check = check
    this.negotiation = negotiation
    this.#options = options
    this.#context = options.secureContext
  }

  /** Whether there are certificates or keys that may be unusable. */
  get hasMaterial(): boolean {
    const { ca, crl, cert, key, pfx } = this.#options
    return [ca, crl, cert, key, pfx].some((material) => material !== undefined)
  }

  /**
   * Certificates and keys, read once and shared by every connection. Without a check no list of authorities is
   * loaded: Node's own takes tens of milliseconds.
   *
   * @throws whatever node:tls says of a key or certificate that it cannot use
   */
  get context(): tls.SecureContext {
    this.#context ??= tls.createSecureContext(
      this.check === 'none' ? { ...this.#options, ca: [] } : this.#options,
    )
    return this.#context
  }

  /** The same, for a further connection of a session that is encrypted: it must not be in the clear. */
  get asMandatory(): TlsSettings {
    return this.mandatory ? this : new TlsSettings(true, this.check, this.#withContext(), this.negotiation)
  }

  #withContext(): tls.ConnectionOptions {
    return { ...this.#options, secureContext: this.context }
  }

  /** What node:tls needs to shake hands over `socket` with the server that was addressed as `host`. */
  handshakeOptions(socket: net.Socket, host: string): tls.ConnectionOptions {
    return {
      // "Literal IPv4 and IPv6 addresses are not permitted" as a server name (RFC 6066, section 3).
      ...(net.isIP(host) === 0 && { servername: host }),
      ...this.#withContext(),
      ...(this.check === 'chain' && { checkServerIdentity: () => undefined }),
      rejectUnauthorized: this.check !== 'none',
      ALPNProtocols: [protocolName],
      socket,
      host,
    }
  }
}

/**
 * Sends SSLRequest and returns the server's answer, one character: `S`, `N`, or something that is neither.
 * A byte behind `S` or `N` was sent before the handshake, by whoever is between: it is refused, never read as the
 * server's (CVE-2021-23222). See "Session Encryption" (protocol-flow-ssl).
 */
export function requestTls(socket: net.Socket, signal: AbortSignal): Promise<string> {
  const request = new OutBuffer(8)
  request.int32(8)
  request.int32(80_877_103)
  return opening(socket, signal, (done, fail) => {
    const answered = (bytes: Buffer) => {
      // What follows belongs to the handshake, or to the session.
      socket.pause()
      const answer = String.fromCharCode(bytes[0]!)
      if (bytes.length === 1 || (answer !== 'S' && answer !== 'N')) done(answer)
      else {
        fail(
          new ConnectError(
            'the server sent bytes before the TLS handshake; someone may be tampering with the connection',
          ),
        )
      }
    }
    socket.on('data', answered)
    socket.write(request.take())
    return () => socket.off('data', answered)
  })
}

const ignore = () => {}

/**
 * Wraps `socket`, on which TLS begins now, in an encrypted one. Where nothing has shown yet that PostgreSQL is at the
 * other end, the server must agree to its protocol, so that no other TLS server is taken for one
 * (see "SSL Session Encryption", protocol-flow-ssl).
 */
export async function tlsHandshake(
  socket: net.Socket,
  settings: TlsSettings,
  host: string,
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  // The encrypted socket tells the errors of the one below it; unheard there, they would end the process.
  socket.on('error', ignore)
  const encrypted = tls.connect(settings.handshakeOptions(socket, host))
  try {
    return await opening(encrypted, signal, (done, fail) => {
      const secured = () => {
        if (settings.negotiation === 'direct' && encrypted.alpnProtocol !== protocolName) fail(noAgreement())
        else done(encrypted)
      }
      encrypted.once('secureConnect', secured)
      return () => encrypted.off('secureConnect', secured)
    })
  } catch (error) {
    if (signal.aborted) throw error
    if (error instanceof ConnectError) throw error
    const hint =
      settings.negotiation === 'direct' ? '; sslNegotiation: direct needs PostgreSQL 17 or later' : ''
    throw new ConnectError(`the TLS handshake failed: ${(error as Error).message.trimEnd()}${hint}`, {
      cause: error,
      permanent: isTlsFailure(error) || Boolean(encrypted.authorizationError),
    })
  }
}

function noAgreement(): ConnectError {
  return new ConnectError(
    `the server did not agree to the protocol ${protocolName} (ALPN), which sslNegotiation: direct requires; ` +
      "is a PostgreSQL server of version 17 or later at that address? Otherwise use sslNegotiation: 'postgres'",
    { permanent: true },
  )
}

/** Whether TLS itself failed, on either side, as opposed to the network: trying again does not help. */
export function isTlsFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return 'library' in error || (typeof code === 'string' && /^ERR_(SSL|TLS)_/.test(code))
}
