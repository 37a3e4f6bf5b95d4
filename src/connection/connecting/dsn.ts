import { isIPv6 } from 'node:net'
import { InterfaceError } from '../../errors.ts'

/**
 * Values by libpq's keywords (`host`, `dbname`, `sslmode`, …), as a DSN or the environment gives them; several hosts
 * and ports are lists with commas. See "Parameter Key Words" (libpq-paramkeywords).
 */
export type Keywords = Map<string, string>

const encodeHint =
  "percent-encode special characters in the user name and the password ('@' as %40, ':' as %3A, '/' as %2F, '?' as %3F)"

/** A misread DSN may show a password in the place of anything, so that no part of it is ever quoted. */
function malformed(what: string): InterfaceError {
  return new InterfaceError(`dsn: ${what}`)
}

/**
 * Reads a connection string in either of libpq's forms, `postgres://…` and `host=… dbname=…`. The empty one gives
 * nothing. See "Connection Strings" (libpq-connstring).
 *
 * @throws InterfaceError that says what is wrong without quoting the DSN
 */
export function parseDsn(dsn: string): Keywords {
  const scheme = /^postgres(?:ql)?:\/\//.exec(dsn)
  if (scheme !== null) return parseUri(dsn.slice(scheme[0].length))
  if (/^[\w+.-]+:\/\//.test(dsn)) throw malformed('a URI starts with postgres:// or postgresql://')
  return parseAssignments(dsn)
}

/** The part behind `//`: `[user[:password]@][host[:port],…][/dbname][?keyword=value&…]` */
function parseUri(uri: string): Keywords {
  const [, authority, path, query] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(uri)!
  // No host name has an '@', so that the last one ends the password, be it encoded or not.
  const at = authority!.lastIndexOf('@')
  if (at < 0 && authority!.includes(':') && `${path}${query}`.includes('@')) {
    throw malformed(`there is an '@' behind the host; ${encodeHint}`)
  }
  const keywords: Keywords = new Map()
  if (at >= 0) readUser(authority!.slice(0, at), keywords)
  readHosts(authority!.slice(at + 1), keywords)
  if (path) keywords.set('dbname', decode(path, 'the database name'))
  if (query) readQuery(query, keywords)
  return keywords
}

function readUser(credentials: string, keywords: Keywords): void {
  const colon = credentials.indexOf(':')
  const user = colon < 0 ? credentials : credentials.slice(0, colon)
  if (user !== '') keywords.set('user', decode(user, 'the user name'))
  if (colon >= 0) keywords.set('password', decode(credentials.slice(colon + 1), 'the password'))
}

function readHosts(list: string, keywords: Keywords): void {
  const hosts: string[] = []
  const ports: string[] = []
  for (const [index, entry] of list.split(',').entries()) {
    const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(entry)
    const host = match === null ? '' : decode(match[1] ?? match[2]!, 'the host')
    if (match === null || (match[1] !== undefined && !isIPv6(host))) {
      throw malformed(
        `host ${index + 1} is not of the form name:port, 10.0.0.1:port or [::1]:port; ${encodeHint}`,
      )
    }
    hosts.push(host)
    ports.push(match[3] ?? '')
  }
  if (hosts.some((host) => host !== '')) keywords.set('host', hosts.join(','))
  if (ports.some((port) => port !== '')) keywords.set('port', ports.join(','))
}

function readQuery(query: string, keywords: Keywords): void {
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    if (equals < 0) throw malformed("a parameter behind the '?' has no '='")
    const keyword = checkKeyword(decode(pair.slice(0, equals), 'the name of a parameter'))
    const value = decode(pair.slice(equals + 1), `parameter ${keyword}`)
    // The spelling of JDBC, which libpq takes as well.
    if (keyword === 'ssl' && value === 'true') keywords.set('sslmode', 'require')
    else keywords.set(keyword, value)
  }
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed(
      `${what} has a '%' that is not followed by two hexadecimal digits of UTF-8; write %25 for it`,
    )
  }
}

/** `keyword = value …`; a value may stand in single quotes, and a backslash takes the next character as it is. */
function parseAssignments(text: string): Keywords {
  const keywords: Keywords = new Map()
  const assignment =
    /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?=\s|$)/sy
  const end = text.trimEnd().length
  while (assignment.lastIndex < end) {
    const number = keywords.size + 1
    const match = assignment.exec(text)
    if (match === null) {
      throw malformed(
        `it is neither postgres://user:password@host:port/database nor keyword=value pairs (see pair ${number}); ` +
          'put a value with spaces in single quotes, and a backslash before a quote or a backslash in it',
      )
    }
    const value = (match[2] ?? match[3] ?? '').replace(/\\(.)/gs, '$1')
    keywords.set(checkKeyword(match[1]!), value)
  }
  return keywords
}

function checkKeyword(keyword: string): string {
  if (/^[A-Za-z_][\w.$]*$/.test(keyword)) return keyword
  throw malformed(`the name of a parameter is not a name; ${encodeHint}`)
}
