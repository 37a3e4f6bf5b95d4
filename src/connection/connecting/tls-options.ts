import { readFileSync } from 'node:fs'
import type { ConnectionOptions, SecureVersion } from 'node:tls'
import { InterfaceError } from '../../errors.ts'
import { type CertificateCheck, type TlsNegotiation, TlsSettings } from '../../wire/tls.ts'
import type { Keywords } from './dsn.ts'

/**
 * How hard encryption is asked for, as libpq's sslmode ("SSL Mode Descriptions", libpq-ssl-sslmode-statements):
 *
 * - `'disable'`: none.
 * - `'prefer'`: where the server offers it; the certificate is not checked. Also in the clear where the server
 *   refuses TLS, the handshake fails, or the server admits the user in the clear only.
 * - `'require'`: always, and the certificate is not checked; with a `ca` (sslrootcert) the same as `'verify-ca'`.
 * - `'verify-ca'`: always, with a certificate of a trusted authority.
 * - `'verify-full'`: and the certificate must name the host.
 */
export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

/** What node:tls takes (`ca`, `cert`, `key`, `servername`, …); `mode` is `'verify-full'` where none is given. */
export interface SslOptions extends ConnectionOptions {
  mode?: SslMode
}

const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/** What is wished for, before it is checked as a whole. */
interface Wish {
  mandatory: boolean
  check: CertificateCheck
  options: ConnectionOptions
  /** Who is to blame for certificates and keys that cannot be used. */
  culprit: string
}

/**
 * The settings for TLS, or `undefined` for none. `ssl` decides alone where it is given; otherwise the keywords
 * sslmode, sslrootcert (`system`: Node's own authorities, with verify-full), sslcert, sslkey, sslpassword, sslcrl,
 * sslcertmode and those of the protocol's version do. The files are read here, once. Without a `ca`, Node's own
 * authorities are trusted. The defaults that libpq looks for in ~/.postgresql are not looked for.
 *
 * @throws InterfaceError naming what is wrong
 */
export function resolveTls(
  ssl: boolean | SslMode | SslOptions | undefined,
  sslNegotiation: TlsNegotiation | undefined,
  keywords: Keywords,
): TlsSettings | undefined {
  const wish = ssl === undefined ? fromKeywords(keywords) : fromOption(ssl)
  const negotiation = checkNegotiation(sslNegotiation ?? keywords.get('sslnegotiation') ?? 'postgres')
  if (negotiation === 'direct' && !wish?.mandatory) {
    throw new InterfaceError(
      "sslNegotiation: direct leaves the server no way to refuse TLS; set ssl to 'require' or more, or leave it out",
    )
  }
  return wish && checked(wish, negotiation)
}

function fromOption(ssl: boolean | SslMode | SslOptions): Wish | undefined {
  if (typeof ssl === 'boolean') return wish(ssl ? 'verify-full' : 'disable', {}, 'ssl')
  if (typeof ssl === 'string') return wish(checkMode('ssl', ssl), {}, 'ssl')
  if (typeof ssl === 'object' && ssl !== null) return fromOptions(ssl)
  throw new InterfaceError(`ssl: give a boolean, one of ${sslModes.join(', ')}, or options of node:tls`)
}

function fromOptions({ mode, rejectUnauthorized, ...options }: SslOptions): Wish | undefined {
  if (mode !== undefined && rejectUnauthorized !== undefined) {
    throw new InterfaceError('ssl: give mode or rejectUnauthorized, not both; mode says what is checked')
  }
  if (rejectUnauthorized === false) return { mandatory: true, check: 'none', options, culprit: 'ssl' }
  return wish(mode === undefined ? 'verify-full' : checkMode('ssl.mode', mode), options, 'ssl')
}

function fromKeywords(keywords: Keywords): Wish | undefined {
  const rootCert = keywords.get('sslrootcert')
  const system = rootCert === 'system'
  const mode = checkMode('sslmode', keywords.get('sslmode') ?? (system ? 'verify-full' : 'prefer'))
  if (system && mode !== 'verify-full') {
    throw new InterfaceError(`sslmode: ${mode} is too weak for sslrootcert=system; use verify-full`)
  }
  if (mode === 'disable') return undefined
  const options: ConnectionOptions = {
    ...(rootCert !== undefined && !system && { ca: read('sslrootcert', rootCert) }),
    ...(keywords.has('sslcrl') && { crl: read('sslcrl', keywords.get('sslcrl')!) }),
    ...clientCertificate(keywords),
    ...protocolVersion('minVersion', 'ssl_min_protocol_version', keywords),
    ...protocolVersion('maxVersion', 'ssl_max_protocol_version', keywords),
  }
  return wish(mode, options, 'sslrootcert, sslcrl, sslcert, sslkey or sslpassword')
}

function clientCertificate(keywords: Keywords): ConnectionOptions {
  const mode = keywords.get('sslcertmode') ?? 'allow'
  if (mode !== 'allow' && mode !== 'disable') {
    throw new InterfaceError(
      "sslcertmode: node:tls cannot tell whether the server asked; use 'allow' or 'disable'",
    )
  }
  if (mode === 'disable') return {}
  const [cert, key, passphrase] = ['sslcert', 'sslkey', 'sslpassword'].map((keyword) => keywords.get(keyword))
  return {
    ...(cert !== undefined && { cert: read('sslcert', cert) }),
    ...(key !== undefined && { key: read('sslkey', key) }),
    ...(passphrase !== undefined && { passphrase }),
  }
}

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

function protocolVersion(
  option: 'minVersion' | 'maxVersion',
  keyword: string,
  keywords: Keywords,
): ConnectionOptions {
  const wanted = keywords.get(keyword)
  if (wanted === undefined) return {}
  const version = versions.find((name) => name === wanted)
  if (version !== undefined) return { [option]: version }
  throw new InterfaceError(`${keyword}: ${JSON.stringify(wanted)} is none of ${versions.join(', ')}`)
}

function checkNegotiation(value: unknown): TlsNegotiation {
  if (value === 'postgres' || value === 'direct') return value
  throw new InterfaceError(`sslNegotiation: ${JSON.stringify(value)} is none of postgres, direct`)
}

function read(keyword: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new InterfaceError(`${keyword}: the file ${path} cannot be read (${code})`, { cause: error })
  }
}

function checkMode(option: string, mode: string): SslMode {
  const known = sslModes.find((name) => name === mode)
  if (known !== undefined) return known
  throw new InterfaceError(`${option}: ${JSON.stringify(mode)} is none of ${sslModes.join(', ')}`)
}

function wish(mode: SslMode, options: ConnectionOptions, culprit: string): Wish | undefined {
  if (mode === 'disable') return undefined
  return { mandatory: mode !== 'prefer', check: certificateCheck(mode, options), options, culprit }
}

function certificateCheck(mode: SslMode, options: ConnectionOptions): CertificateCheck {
  if (mode === 'verify-full') return 'chain-and-name'
  if (mode === 'verify-ca' || (mode === 'require' && options.ca !== undefined)) return 'chain'
  return 'none'
}

/** A key that does not fit its certificate is told now, not at each connect. */
function checked({ mandatory, check, options, culprit }: Wish, negotiation: TlsNegotiation): TlsSettings {
  const tls = new TlsSettings(mandatory, check, options, negotiation)
  try {
    if (tls.hasMaterial) void tls.context
    return tls
  } catch (error) {
    const { message } = error as Error
    throw new InterfaceError(`${culprit}: node:tls cannot use the certificates or the key: ${message}`, {
      cause: error,
    })
  }
}
