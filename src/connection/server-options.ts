import { InterfaceError } from '../errors.ts'
import type { ServerAddress } from '../wire/transport.ts'
import type { Keywords } from './dsn.ts'

/** libpq's keywords that are options of the connection here; `options` and `application_name` go to the server. */
const connectionKeywords = new Set([
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'connect_timeout',
  'target_session_attrs',
  'passfile',
  'require_auth',
  'channel_binding',
])

/**
 * Further keywords of libpq, with the values that ask for nothing that rockpool does not do anyway. Any other value
 * is refused: to the server these would be unknown settings.
 */
const foreignKeywords: Record<string, readonly string[]> = {
  client_encoding: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'auto'],
  fallback_application_name: [],
  gssdelegation: ['0'],
  gssencmode: ['disable', 'prefer'],
  gsslib: [],
  hostaddr: [],
  keepalives: ['1'],
  keepalives_count: [],
  keepalives_idle: [],
  keepalives_interval: [],
  krbsrvname: [],
  load_balance_hosts: ['disable'],
  max_protocol_version: [],
  min_protocol_version: ['3.0'],
  replication: ['false', 'off', 'no', '0'],
  requirepeer: [],
  requiressl: [],
  scram_client_key: [],
  scram_server_key: [],
  service: [],
  servicefile: [],
  ssl_max_protocol_version: [],
  ssl_min_protocol_version: ['TLSv1.2'],
  sslcertmode: ['allow'],
  sslcompression: ['0'],
  sslcrl: [],
  sslcrldir: [],
  sslkeylogfile: [],
  sslnegotiation: ['postgres'],
  sslpassword: [],
  sslsni: ['1'],
  tcp_user_timeout: ['0'],
}

const split = (list: string | undefined) => list?.split(',')

/** Pairs hosts and ports; an empty host or port is the default one. @throws InterfaceError naming `host` or `port` */
export function resolveAddresses(
  hostOption: unknown,
  portOption: unknown,
  keywords: Keywords,
): ServerAddress[] {
  const hosts = [hostOption ?? split(keywords.get('host')) ?? 'localhost'].flat().map(checkHost)
  const ports = (
    portOption === undefined ? (split(keywords.get('port')) ?? ['']).map(readPort) : [portOption].flat()
  ).map(checkPort)
  if (hosts.length === 0) throw new InterfaceError('host: the list is empty; name one host at least')
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw new InterfaceError(
      `port: ${ports.length} ports for ${hosts.length} hosts; give one for all, or one for each host`,
    )
  }
  return hosts.map((host, i) => ({ host, port: ports[ports.length === 1 ? 0 : i]! }))
}

function checkHost(host: unknown, index: number): string {
  if (host === '') return 'localhost'
  if (
    typeof host === 'string' &&
    (host.startsWith('/') ? !host.includes('\0') : /^[^\s\0/,@[\]]+$/.test(host))
  ) {
    return host
  }
  throw new InterfaceError(
    `host: entry ${index + 1} is neither a host name, nor an IP address, nor the absolute directory of a socket; ` +
      'give several as an array, and the port by the option port',
  )
}

function readPort(digits: string): number {
  return digits === '' ? 5432 : /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN
}

function checkPort(port: unknown, index: number): number {
  if (Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535) return port as number
  throw new InterfaceError(`port: entry ${index + 1} is not a whole number from 1 to 65535`)
}

/**
 * The start-up parameters: what the keywords leave over, then `settings`.
 *
 * @throws InterfaceError naming the setting that is not one
 */
export function resolveServerSettings(settings: unknown, keywords: Keywords): Record<string, string> {
  if (settings !== undefined && (typeof settings !== 'object' || settings === null)) {
    throw new InterfaceError('serverSettings: give an object of names and texts')
  }
  const resolved: Record<string, string> = {}
  for (const [keyword, value] of keywords) {
    if (connectionKeywords.has(keyword)) continue
    const inert = foreignKeywords[keyword]
    if (inert === undefined) resolved[keyword] = checkSetting(keyword, value)
    else if (!inert.includes(value)) {
      throw new InterfaceError(`${keyword}: rockpool does not support this parameter of libpq; leave it out`)
    }
  }
  for (const [name, value] of Object.entries(settings ?? {})) {
    resolved[name] = checkSetting(`serverSettings.${name}`, value)
    if (
      name === '' ||
      name.includes('\0') ||
      name === 'user' ||
      name === 'database' ||
      name === 'replication'
    ) {
      throw new InterfaceError(
        `serverSettings: ${JSON.stringify(name)} is not a setting; use the option, or leave it out`,
      )
    }
    if (name.toLowerCase() === 'client_encoding') {
      throw new InterfaceError('serverSettings.client_encoding: it is always UTF8; leave it out')
    }
  }
  return resolved
}

function checkSetting(name: string, value: unknown): string {
  if (typeof value === 'string' && !value.includes('\0')) return value
  throw new InterfaceError(`${name}: a setting is a string without NUL`)
}
