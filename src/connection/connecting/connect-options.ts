import { userInfo } from 'node:os'
import { type Duration, parseDuration } from '../../duration.ts'
import { ConnectError, InterfaceError } from '../../errors.ts'
import {
  type AuthenticationMethod,
  type AuthenticationPolicy,
  authenticationMethods,
  type ChannelBinding,
  channelBindings,
} from '../../wire/authentication/authenticate.ts'
import type { TlsNegotiation, TlsSettings } from '../../wire/tls.ts'
import type { ServerAddress } from '../../wire/transport.ts'
import type { Keywords } from './dsn.ts'
import { gatherKeywords } from './keywords.ts'
import { defaultPassfile, Passfile } from './passfile.ts'
import { type TargetSessionAttrs, targetSessionAttrs } from './server-kind.ts'
import { resolveAddresses, resolveServerSettings } from './server-options.ts'
import { resolveTls, type SslMode, type SslOptions } from './tls-options.ts'

/** A password, or who to ask for it at each connect to each host: a token that expires. */
export type PasswordSource = string | (() => string | Promise<string>)

/**
 * Where to connect and as whom. What is not given comes from the DSN, then from libpq's environment variables
 * (`PGHOST`, `PGUSER`, …), then from the defaults.
 */
export interface ConnectOptions {
  /** Names, IP addresses, or directories of Unix-domain sockets, tried in turn. Default `'localhost'`. */
  host?: string | string[] | undefined
  /** One for all hosts, or one a host. Default 5432. */
  port?: number | number[] | undefined
  /** Default: the user of the operating system. */
  user?: string | undefined
  /** Default: from the passfile. */
  password?: PasswordSource | undefined
  /** Default: the same as `user`. */
  database?: string | undefined
  /**
   * `true` is `'verify-full'`, `false` is `'disable'`, an object of node:tls options is `'verify-full'` but for its own
   * `mode`. Default `'prefer'`.
   */
  ssl?: boolean | SslMode | SslOptions | undefined
  /** `'direct'`: TLS begins without asking first, for PostgreSQL 17 and later. Default `'postgres'`: it asks. */
  sslNegotiation?: TlsNegotiation | undefined
  /** Run-time parameters that hold for the session and survive every reset, such as `application_name`. */
  serverSettings?: Record<string, string> | undefined
  /** The time to reach one host, from the asking for the password to the readiness. Default `'10s'`; 0: no limit. */
  connectTimeout?: Duration | undefined
  /** How long a TCP connection may be idle before the system probes whether the server is there. Default `'60s'`; 0: never. */
  keepAlive?: Duration | undefined
  /**
   * Which of the servers will do, as libpq's target_session_attrs: `'any'`, `'primary'` or `'standby'`, `'read-write'`
   * or `'read-only'` (what a transaction is there by default), `'prefer-standby'` (any, where no standby answers). A
   * server of another kind makes way for the next host. Default `'any'`.
   */
  targetSessionAttrs?: TargetSessionAttrs | undefined
  /** `'random'`: each connect tries the hosts in an order of its own. Default `'disable'`: as they are listed. */
  loadBalanceHosts?: LoadBalanceHosts | undefined
  /** Default `~/.pgpass`. */
  passfile?: string | undefined
  /**
   * The ways to authenticate that are allowed; `'none'` is a server that does not ask. Default: any, but a password in
   * the clear only over TLS or a Unix-domain socket, unless `'password'` is listed here.
   */
  requireAuth?: AuthenticationMethod | AuthenticationMethod[] | undefined
  /** Whether SCRAM is bound to the TLS connection. Default `'prefer'`: where both sides can. */
  channelBinding?: ChannelBinding | undefined
}

const loadBalancing = ['disable', 'random'] as const
export type LoadBalanceHosts = (typeof loadBalancing)[number]

const known: Record<keyof ConnectOptions, true> = {
  host: true,
  port: true,
  user: true,
  password: true,
  database: true,
  ssl: true,
  sslNegotiation: true,
  serverSettings: true,
  connectTimeout: true,
  keepAlive: true,
  targetSessionAttrs: true,
  loadBalanceHosts: true,
  passfile: true,
  requireAuth: true,
  channelBinding: true,
}

/** For the refusal of unknown options. */
export const connectOptionNames = Object.keys(known) as readonly (keyof ConnectOptions)[]

interface Secrets {
  password: PasswordSource | undefined
  passfile: Passfile
  tls: TlsSettings | undefined
}

interface Resolved {
  hosts: readonly ServerAddress[]
  user: string
  database: string
  serverSettings: Readonly<Record<string, string>>
  connectTimeout: number
  keepAlive: number
  targetSessionAttrs: TargetSessionAttrs
  loadBalanceHosts: LoadBalanceHosts
  authentication: AuthenticationPolicy
}

/** Checked and complete. Neither `util.inspect` nor JSON shows the password or a key. */
export class ResolvedConnectOptions implements Resolved {
  declare readonly hosts: readonly ServerAddress[]
  declare readonly user: string
  declare readonly database: string
  declare readonly serverSettings: Readonly<Record<string, string>>
  /** Milliseconds for each host; 0: no limit. */
  declare readonly connectTimeout: number
  /** Milliseconds; 0: never. */
  declare readonly keepAlive: number
  declare readonly targetSessionAttrs: TargetSessionAttrs
  declare readonly loadBalanceHosts: LoadBalanceHosts
  declare readonly authentication: AuthenticationPolicy
  readonly #secrets: Secrets

  constructor(resolved: Resolved, secrets: Secrets) {
    Object.assign(this, resolved)
    this.#secrets = secrets
  }

  get tls(): TlsSettings | undefined {
    return this.#secrets.tls
  }

  /**
   * The password for a connect to `address`, asked for anew.
   *
   * @throws ConnectError where the password function fails (its error is the cause), permanent where it gives no text
   */
  async password(address: ServerAddress): Promise<string | undefined> {
    const { password, passfile } = this.#secrets
    if (password === undefined) return passfile.find(address, this.database, this.user)
    if (typeof password === 'string') return password
    let given: unknown
    try {
      given = await password()
    } catch (error) {
      throw new ConnectError('the password function failed; see the cause', { cause: error })
    }
    if (typeof given === 'string' && !given.includes('\0')) return given
    throw new ConnectError('the password function gave no usable text; it must give a string without NUL', {
      permanent: true,
    })
  }
}

/**
 * Puts the options, the DSN, the environment and the defaults together, each going before the next. A parameter of
 * the DSN that libpq does not know is a server setting, as asyncpg has it.
 *
 * @throws InterfaceError naming the option (or libpq's keyword, or the part of the DSN) and what to do; never the
 *   password, nor any part of the DSN that could hold it
 */
export function resolveConnectOptions(
  dsn: string | undefined,
  options: ConnectOptions,
  env: NodeJS.ProcessEnv = process.env,
): ResolvedConnectOptions {
  const keywords = gatherKeywords(dsn, env)
  const chosen = (option: string | undefined, keyword: string) => option ?? keywords.get(keyword)
  const user = text('user', chosen(options.user, 'user')) ?? operatingSystemUser()
  const resolved: Resolved = {
    hosts: resolveAddresses(options.host, options.port, keywords),
    user,
    database: text('database', chosen(options.database, 'dbname')) ?? user,
    serverSettings: resolveServerSettings(options.serverSettings, keywords),
    connectTimeout: resolveTimeout(options.connectTimeout, keywords.get('connect_timeout')),
    keepAlive: resolveKeepAlive(options.keepAlive, keywords),
    targetSessionAttrs: oneOf(
      'targetSessionAttrs',
      chosen(options.targetSessionAttrs, 'target_session_attrs') ?? 'any',
      targetSessionAttrs,
    ),
    loadBalanceHosts: oneOf(
      'loadBalanceHosts',
      chosen(options.loadBalanceHosts, 'load_balance_hosts') ?? 'disable',
      loadBalancing,
    ),
    authentication: {
      requireAuth: resolveRequireAuth(options.requireAuth ?? keywords.get('require_auth')?.split(',')),
      channelBinding: oneOf(
        'channelBinding',
        chosen(options.channelBinding, 'channel_binding') ?? 'prefer',
        channelBindings,
      ),
    },
  }
  return new ResolvedConnectOptions(resolved, {
    password: resolvePassword(options.password ?? keywords.get('password')),
    passfile: new Passfile(text('passfile', chosen(options.passfile, 'passfile')) ?? defaultPassfile(env)),
    tls: resolveTls(options.ssl, options.sslNegotiation, keywords),
  })
}

/** `postgres://app@db:5432/tasks`: where and as whom, for logs. It holds no password. */
export function describeTarget({ user, hosts, database }: ResolvedConnectOptions): string {
  const list = hosts.map(
    ({ host, port }) => `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}:${port}`,
  )
  return `postgres://${encodeURIComponent(user)}@${list.join(',')}/${encodeURIComponent(database)}`
}

/** A text of the protocol ends at its first NUL. */
function text(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value
  throw new InterfaceError(`${option}: give a string that is not empty and holds no NUL`)
}

function operatingSystemUser(): string {
  try {
    return userInfo().username
  } catch (error) {
    throw new InterfaceError('user: the operating system has no name for this user; give one', {
      cause: error,
    })
  }
}

function resolvePassword(password: unknown): PasswordSource | undefined {
  if (password === undefined || typeof password === 'function') return password as PasswordSource | undefined
  if (typeof password === 'string' && !password.includes('\0')) return password
  throw new InterfaceError('password: give a string without NUL, or a function that gives one')
}

/** @param seconds libpq's connect_timeout; 0 and less: no limit */
function resolveTimeout(option: Duration | undefined, seconds: string | undefined): number {
  if (option !== undefined || seconds === undefined) return parseDuration('connectTimeout', option ?? '10s')
  if (/^-?\d{1,9}$/.test(seconds)) return Math.max(Number(seconds), 0) * 1_000
  throw new InterfaceError('connect_timeout: give a whole number of seconds, 0 for no limit')
}

/** libpq's keepalives and keepalives_idle (in seconds; 0: the default) say the same in other words. */
function resolveKeepAlive(option: Duration | undefined, keywords: Keywords): number {
  if (option !== undefined) return parseDuration('keepAlive', option)
  const [on = '1', seconds = '0'] = ['keepalives', 'keepalives_idle'].map((keyword) => keywords.get(keyword))
  if (!/^[01]$/.test(on)) throw new InterfaceError('keepalives: give 1 or 0')
  if (!/^\d{1,9}$/.test(seconds)) throw new InterfaceError('keepalives_idle: give a whole number of seconds')
  return on === '0' ? 0 : Number(seconds) * 1_000 || 60_000
}

/** @throws InterfaceError naming the option where `value` is none of `choices` */
function oneOf<T extends string>(option: string, value: unknown, choices: readonly T[]): T {
  const choice = choices.find((name) => name === value)
  if (choice !== undefined) return choice
  throw new InterfaceError(`${option}: ${JSON.stringify(value)} is none of ${choices.join(', ')}`)
}

function resolveRequireAuth(value: unknown): AuthenticationMethod[] | undefined {
  if (value === undefined) return undefined
  return [value].flat().map((wanted) => {
    const method = authenticationMethods.find((name) => name === wanted)
    if (method !== undefined) return method
    throw new InterfaceError(
      `requireAuth: ${JSON.stringify(wanted)} is none of ${authenticationMethods.join(', ')}; list what is allowed`,
    )
  })
}
