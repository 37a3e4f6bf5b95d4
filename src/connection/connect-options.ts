import { userInfo } from 'node:os'
import { type Duration, parseDuration } from '../duration.ts'
import { ConnectError, InterfaceError } from '../errors.ts'
import {
  type AuthenticationMethod,
  type AuthenticationPolicy,
  authenticationMethods,
  type ChannelBinding,
} from '../wire/authentication/authenticate.ts'
import type { TlsSettings } from '../wire/tls.ts'
import type { ServerAddress } from '../wire/transport.ts'
import { type Keywords, parseDsn } from './dsn.ts'
import { defaultPassfile, Passfile } from './passfile.ts'
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
  /** Run-time parameters that hold for the session and survive every reset, such as `application_name`. */
  serverSettings?: Record<string, string> | undefined
  /** The time to reach one host, from the asking for the password to the readiness. Default `'10s'`; 0: no limit. */
  connectTimeout?: Duration | undefined
  /** Which of several servers will do. Only `'any'`, the default, is supported yet. */
  targetSessionAttrs?: 'any' | undefined
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

const known: Record<keyof ConnectOptions, true> = {
  host: true,
  port: true,
  user: true,
  password: true,
  database: true,
  ssl: true,
  serverSettings: true,
  connectTimeout: true,
  targetSessionAttrs: true,
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

const environmentKeywords: Record<string, string> = {
  PGHOST: 'host',
  PGPORT: 'port',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGDATABASE: 'dbname',
  PGSSLMODE: 'sslmode',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGAPPNAME: 'application_name',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGOPTIONS: 'options',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGPASSFILE: 'passfile',
  PGREQUIREAUTH: 'require_auth',
  PGCHANNELBINDING: 'channel_binding',
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
  checkTargetSessionAttrs(options.targetSessionAttrs ?? keywords.get('target_session_attrs'))
  const user = text('user', options.user ?? keywords.get('user')) ?? operatingSystemUser()
  const resolved: Resolved = {
    hosts: resolveAddresses(options.host, options.port, keywords),
    user,
    database: text('database', options.database ?? keywords.get('dbname')) ?? user,
    serverSettings: resolveServerSettings(options.serverSettings, keywords),
    connectTimeout: resolveTimeout(options.connectTimeout, keywords.get('connect_timeout')),
    authentication: {
      requireAuth: resolveRequireAuth(options.requireAuth ?? keywords.get('require_auth')?.split(',')),
      channelBinding: resolveChannelBinding(options.channelBinding ?? keywords.get('channel_binding')),
    },
  }
  return new ResolvedConnectOptions(resolved, {
    password: resolvePassword(options.password ?? keywords.get('password')),
    passfile: new Passfile(
      text('passfile', options.passfile ?? keywords.get('passfile')) ?? defaultPassfile(env),
    ),
    tls: resolveTls(options.ssl, keywords),
  })
}

/** `postgres://app@db:5432/tasks`: where and as whom, for logs. It holds no password. */
export function describeTarget({ user, hosts, database }: ResolvedConnectOptions): string {
  const list = hosts.map(
    ({ host, port }) => `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}:${port}`,
  )
  return `postgres://${encodeURIComponent(user)}@${list.join(',')}/${encodeURIComponent(database)}`
}

function gatherKeywords(dsn: unknown, env: NodeJS.ProcessEnv): Keywords {
  if (dsn !== undefined && typeof dsn !== 'string') {
    throw new InterfaceError('dsn: give a string, or undefined for the environment and the options alone')
  }
  const keywords: Keywords = new Map()
  for (const [variable, keyword] of Object.entries(environmentKeywords)) {
    const value = env[variable]
    if (value) keywords.set(keyword, value)
  }
  for (const [keyword, value] of parseDsn(dsn ?? '')) keywords.set(keyword, value)
  // To libpq, an empty value of a keyword of its own is none.
  for (const keyword of Object.values(environmentKeywords)) {
    if (keywords.get(keyword) === '') keywords.delete(keyword)
  }
  return keywords
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

function checkTargetSessionAttrs(value: unknown): void {
  if (value === undefined || value === 'any') return
  throw new InterfaceError(
    `targetSessionAttrs: ${JSON.stringify(value)} is not supported yet; leave it out, or use 'any'`,
  )
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

function resolveChannelBinding(value: unknown): ChannelBinding {
  if (value === undefined) return 'prefer'
  if (value === 'disable' || value === 'prefer' || value === 'require') return value
  throw new InterfaceError(`channelBinding: ${JSON.stringify(value)} is none of disable, prefer, require`)
}
