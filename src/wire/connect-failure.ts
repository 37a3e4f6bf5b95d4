import { ConnectError, PostgresError } from '../errors.ts'
import { isTlsFailure } from './tls.ts'
import { describeAddress, type ServerAddress } from './transport.ts'

/**
 * SQLSTATE classes that a change alone can cure: data exception (a setting's bad value), invalid authorization,
 * invalid catalog name (unknown database), feature not supported, and syntax error or access rule violation (an
 * unknown setting, no CONNECT privilege). The others pass: too many connections (53), starting up or shutting down
 * (57), connection exception (08), by which proxies report their own troubles.
 */
const permanentClasses = new Set(['0A', '22', '28', '3D', '42'])

/** What is known of a failed attempt, as the error for its caller: it names the server, never the password. */
export function connectFailure(address: ServerAddress, error: unknown): ConnectError {
  const prefix = `cannot connect to ${describeAddress(address)}: `
  if (error instanceof ConnectError) {
    if (error.message.startsWith(prefix)) return error
    return new ConnectError(prefix + error.message, {
      permanent: error.permanent,
      ...('cause' in error && { cause: error.cause }),
    })
  }
  if (error instanceof PostgresError) {
    return new ConnectError(`${prefix}${error.message} (${error.sqlState})`, {
      cause: error,
      permanent: permanentClasses.has(error.sqlState.slice(0, 2)),
    })
  }
  return new ConnectError(prefix + reason(error), { cause: error, permanent: isTlsFailure(error) })
}

/** Node tells of a name with several addresses by an AggregateError that itself says nothing. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ')
  return error instanceof Error ? error.message : String(error)
}
