import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { InterfaceError } from '../errors.ts'
import { type CertificateCheck, TlsSettings } from '../wire/tls.ts'
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

/**
 * The settings for TLS, or `undefined` for none. `ssl` decides alone where it is given; otherwise the keywords
 * sslmode, sslrootcert (`system`: Node's own authorities, with verify-full), sslcert and sslkey do. The files are read
 * here, once. Without a `ca`, Node's own authorities are trusted. The defaults that libpq looks for in ~/.postgresql
 * are not looked for.
 *
 * @throws InterfaceError naming what is wrong
 */
export function resolveTls(
  ssl: boolean | SslMode | SslOptions | undefined,
  keywords: Keywords,
): TlsSettings | undefined {
  if (ssl === undefined) return fromKeywords(keywords)
  if (typeof ssl === 'boolean') return settings(ssl ? 'verify-full' : 'disable', {}, 'ssl')
  if (typeof ssl === 'string') return settings(checkMode('ssl', ssl), {}, 'ssl')
  if (typeof ssl === 'object' && ssl !== null) return fromOptions(ssl)
  throw new InterfaceError(`ssl: give a boolean, one of ${sslModes.join(', ')}, or options of node:tls`)
}

function fromOptions({ mode, rejectUnauthorized, ...options }: SslOptions): TlsSettings | undefined {
  if (mode !== undefined && rejectUnauthorized !== undefined) {
    throw new InterfaceError('ssl: give mode or rejectUnauthorized, not both; mode says what is checked')
  }
  if (rejectUnauthorized === false) return checked(new TlsSettings(true, 'none', options), 'ssl')
  return settings(mode === undefined ? 'verify-full' : checkMode('ssl.mode', mode), options, 'ssl')
}

function fromKeywords(keywords: Keywords): TlsSettings | undefined {
  const rootCert = keywords.get('sslrootcert')
  const system = rootCert === 'system'
  const mode = checkMode('sslmode', keywords.get('sslmode') ?? (system ? 'verify-full' : 'prefer'))
  if (system && mode !== 'verify-full') {
    throw new InterfaceError(`sslmode: ${mode} is too weak for sslrootcert=system; use verify-full`)
  }
  if (mode === 'disable') return undefined
  const options: ConnectionOptions = {
    ...(rootCert !== undefined && !system && { ca: read('sslrootcert', rootCert) }),
    ...(keywords.has('sslcert') && { cert: read('sslcert', keywords.get('sslcert')!) }),
    ...(keywords.has('sslkey') && { key: read('sslkey', keywords.get('sslkey')!) }),
  }
  return settings(mode, options, 'sslrootcert, sslcert or sslkey')
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

function settings(mode: SslMode, options: ConnectionOptions, culprit: string): TlsSettings | undefined {
  if (mode === 'disable') return undefined
  return checked(new TlsSettings(mode !== 'prefer', certificateCheck(mode, options), options), culprit)
}

function certificateCheck(mode: SslMode, options: ConnectionOptions): CertificateCheck {
  if (mode === 'verify-full') return 'chain-and-name'
  if (mode === 'verify-ca' || (mode === 'require' && options.ca !== undefined)) return 'chain'
  return 'none'
}

/** A key that does not fit its certificate is told now, not at each connect. */
function checked(tls: TlsSettings, culprit: string): TlsSettings {
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
