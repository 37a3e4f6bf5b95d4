import { isIP } from 'node:net'
import { InterfaceError } from '../../errors.ts'
import type { ServerAddress } from '../../wire/transport.ts'
import type { Keywords } from './dsn.ts'
import { settingKeywords } from './keywords.ts'

const split = (list: string | undefined) => list?.split(',')

/**
 * Pairs hosts, ports and the keyword hostaddr: IP addresses to dial where the names are not to be looked up. An empty
 * host or port is the default one, an empty hostaddr is none.
 *
 * @throws InterfaceError naming `host`, `port` or `hostaddr`
 */
export function resolveAddresses(
  hostOption: unknown,
  portOption: unknown,
  keywords: Keywords,
): ServerAddress[] {
  // Addresses from elsewhere are not those of the hosts that the option names.
  const ips = hostOption === undefined ? split(keywords.get('hostaddr'))?.map(checkIp) : undefined
  const hosts = [hostOption ?? split(keywords.get('host')) ?? ips ?? 'localhost'].flat().map(checkHost)
  const ports = (
    portOption === undefined ? (split(keywords.get('port')) ?? ['']).map(readPort) : [portOption].flat()
  ).map(checkPort)
  if (hosts.length === 0) throw new InterfaceError('host: the list is empty; name one host at least')
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw new InterfaceError(
      `port: ${ports.length} ports for ${hosts.length} hosts; give one for all, or one for each host`,
    )
  }
  if (ips !== undefined && ips.length !== hosts.length) {
    throw new InterfaceError(`hostaddr: ${ips.length} addresses for ${hosts.length} hosts; give one for each`)
  }
  return hosts.map((host, i) => ({
    host,
    port: ports[ports.length === 1 ? 0 : i]!,
    ...(ips?.[i] && { ip: ips[i] }),
  }))
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

function checkIp(ip: string, index: number): string {
  if (ip === '' || isIP(ip) !== 0) return ip
  throw new InterfaceError(`hostaddr: entry ${index + 1} is not an IP address; names belong into host`)
}

function readPort(digits: string): number {
  return digits === '' ? 5432 : /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN
}

function checkPort(port: unknown, index: number): number {
  if (Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535) return port as number
  throw new InterfaceError(`port: entry ${index + 1} is not a whole number from 1 to 65535`)
}

/**
 * The start-up parameters: those among the keywords, then `settings`.
 *
 * @throws InterfaceError naming the setting that is not one
 */
export function resolveServerSettings(settings: unknown, keywords: Keywords): Record<string, string> {
  if (settings !== undefined && (typeof settings !== 'object' || settings === null)) {
    throw new InterfaceError('serverSettings: give an object of names and texts')
  }
  const resolved: Record<string, string> = {}
  for (const [keyword, value] of settingKeywords(keywords)) resolved[keyword] = checkSetting(keyword, value)
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
