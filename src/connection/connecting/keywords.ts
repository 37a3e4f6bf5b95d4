import { InterfaceError } from '../../errors.ts'
import { type Keywords, parseDsn } from './dsn.ts'

/**
 * libpq's environment variables, by the keyword that they are the default of. "Environment Variables" (libpq-envars).
 * PGCLIENTENCODING is left out: how the strings of JavaScript are encoded is no question.
 */
const variables: Record<string, string> = {
  PGHOST: 'host',
  PGHOSTADDR: 'hostaddr',
  PGPORT: 'port',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGPASSFILE: 'passfile',
  PGDATABASE: 'dbname',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGLOADBALANCEHOSTS: 'load_balance_hosts',
  PGREQUIREAUTH: 'require_auth',
  PGCHANNELBINDING: 'channel_binding',
  PGSSLMODE: 'sslmode',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGSSLCERTMODE: 'sslcertmode',
  PGSSLCRL: 'sslcrl',
  PGSSLCRLDIR: 'sslcrldir',
  PGSSLSNI: 'sslsni',
  PGSSLCOMPRESSION: 'sslcompression',
  PGSSLMINPROTOCOLVERSION: 'ssl_min_protocol_version',
  PGSSLMAXPROTOCOLVERSION: 'ssl_max_protocol_version',
  PGREQUIRESSL: 'requiressl',
  PGREQUIREPEER: 'requirepeer',
  PGGSSENCMODE: 'gssencmode',
  PGMINPROTOCOLVERSION: 'min_protocol_version',
  PGMAXPROTOCOLVERSION: 'max_protocol_version',
  PGSERVICE: 'service',
  PGSERVICEFILE: 'servicefile',
  PGOPTIONS: 'options',
  PGAPPNAME: 'application_name',
  PGTZ: 'timezone',
  PGDATESTYLE: 'datestyle',
  PGGEQO: 'geqo',
}

/** Those that say how to connect. */
const connectionKeywords = new Set([
  'host',
  'hostaddr',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslnegotiation',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslcertmode',
  'sslcrl',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'connect_timeout',
  'target_session_attrs',
  'load_balance_hosts',
  'passfile',
  'require_auth',
  'channel_binding',
  'keepalives',
  'keepalives_idle',
  'fallback_application_name',
])

const anything = /^/
const nothing = /(?!)/

/**
 * Further keywords of libpq, with the values that ask for nothing that rockpool does not do anyway, or that libpq,
 * too, gives no effect on systems that cannot do it. Any other value is refused: to the server these would be unknown
 * settings, and some of them are secrets.
 */
const foreignKeywords: Record<string, RegExp> = {
  client_encoding: /^(utf-?8|auto)$/i,
  gssdelegation: anything,
  gssencmode: /^(disable|prefer)$/,
  gsslib: anything,
  keepalives_count: /^\d+$/,
  keepalives_interval: /^\d+$/,
  krbsrvname: anything,
  max_protocol_version: /^(3\.\d+|latest)$/,
  min_protocol_version: /^3\.0$/,
  oauth_client_id: nothing,
  oauth_client_secret: nothing,
  oauth_issuer: nothing,
  oauth_scope: nothing,
  replication: /^(false|off|no|0)$/,
  requirepeer: nothing,
  requiressl: /^0$/,
  scram_client_key: nothing,
  scram_server_key: nothing,
  service: nothing,
  servicefile: nothing,
  sslcompression: /^0$/,
  sslcrldir: nothing,
  sslkeylogfile: nothing,
  sslsni: /^1$/,
  tcp_user_timeout: /^0$/,
}

const variableOf = new Map(Object.entries(variables).map(([variable, keyword]) => [keyword, variable]))

/**
 * What the DSN says and, where it says nothing, the environment.
 *
 * @throws InterfaceError that says what is wrong without quoting the DSN
 */
export function gatherKeywords(dsn: unknown, env: NodeJS.ProcessEnv): Keywords {
  if (dsn !== undefined && typeof dsn !== 'string') {
    throw new InterfaceError('dsn: give a string, or undefined for the environment and the options alone')
  }
  const keywords: Keywords = new Map()
  for (const [variable, keyword] of Object.entries(variables)) {
    const value = env[variable]
    if (value) keywords.set(keyword, value)
  }
  for (const [keyword, value] of parseDsn(dsn ?? '')) keywords.set(keyword, value)
  // To libpq, an empty value of a keyword of its own is none.
  for (const keyword of [...variableOf.keys(), ...connectionKeywords, ...Object.keys(foreignKeywords)]) {
    if (keywords.get(keyword) === '') keywords.delete(keyword)
  }
  return keywords
}

/**
 * The keywords that libpq does not know, and those that it only hands on: settings for the server.
 *
 * @throws InterfaceError naming the keyword that asks for what rockpool does not do; never its value
 */
export function settingKeywords(keywords: Keywords): Keywords {
  const settings: Keywords = new Map()
  const fallback = keywords.get('fallback_application_name')
  if (fallback !== undefined) settings.set('application_name', fallback)
  for (const [keyword, value] of keywords) {
    if (connectionKeywords.has(keyword)) continue
    if (!Object.hasOwn(foreignKeywords, keyword)) settings.set(keyword, value)
    else if (!foreignKeywords[keyword]!.test(value)) throw unsupported(keyword)
  }
  return settings
}

function unsupported(keyword: string): InterfaceError {
  const variable = variableOf.get(keyword)
  const unset = variable === undefined ? '' : `, and ${variable} unset`
  return new InterfaceError(
    `${keyword}: rockpool does not support this parameter of libpq, or this value of it; leave it out${unset}`,
  )
}
