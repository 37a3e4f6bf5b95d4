import type { ConnectOptions } from './connect-options.ts'
import { parseDsn } from './dsn.ts'

/** Where and as whom: a DSN says all of it, be it by its silence. */
const address = ['host', 'port', 'user', 'password', 'database'] as const

/** The other options, by the keywords of libpq with which a DSN can say the same. */
const others = {
  // Not by sslrootcert and its kin: a mode that checks more than the default's would be lost without a word.
  ssl: ['sslmode'],
  sslNegotiation: ['sslnegotiation'],
  connectTimeout: ['connect_timeout'],
  keepAlive: ['keepalives', 'keepalives_idle'],
  targetSessionAttrs: ['target_session_attrs'],
  loadBalanceHosts: ['load_balance_hosts'],
  passfile: ['passfile'],
  requireAuth: ['require_auth'],
  channelBinding: ['channel_binding'],
} as const satisfies Record<
  Exclude<keyof ConnectOptions, (typeof address)[number] | 'serverSettings'>,
  readonly string[]
>

/**
 * What is left of older options where a newer DSN takes over: neither an address nor credentials, and nothing that the
 * DSN says itself. What it does not mention stays: a check of the server's certificate is not lost by a change of host.
 *
 * @throws InterfaceError that says what is wrong without quoting the DSN
 */
export function withoutReplaced<O extends ConnectOptions>(options: O, dsn: string): O {
  const keywords = parseDsn(dsn)
  const left = { ...options }
  for (const name of address) delete left[name]
  for (const [name, said] of Object.entries(others)) {
    if (said.some((keyword) => keywords.has(keyword))) delete left[name as keyof typeof others]
  }
  if (left.serverSettings !== undefined) {
    const settings = Object.entries(left.serverSettings).filter(([name]) => !keywords.has(name))
    left.serverSettings = Object.fromEntries(settings)
  }
  return left
}
