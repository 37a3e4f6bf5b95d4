import { conditionName } from './sqlstate.ts'

/**
 * What became of the statement that an error is about.
 *
 * - `'not-sent'`: no byte of it was written; it may be run again.
 * - `'failed'`: the server refused it or rolled it back.
 * - `'executed'`: it took effect, but its answer could not be used.
 * - `'unknown'`: the connection went before the server answered.
 */
export type Outcome = 'not-sent' | 'failed' | 'executed' | 'unknown'

export interface RockpoolErrorOptions {
  cause?: unknown
  outcome?: Outcome | undefined
}

/** The base of every error that rockpool makes. `code` is stable across releases; `message` is not. */
export abstract class RockpoolError extends Error {
  abstract readonly code: string
  /** Set on every error about a statement. */
  declare readonly outcome?: Outcome
  /** Set on errors of `executeMany`: which list of arguments failed, counted from 0. */
  declare readonly index?: number

  constructor(message: string, options: RockpoolErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = new.target.name
    if (options.outcome !== undefined) this.outcome = options.outcome
  }
}

/** The library was used in a way that it does not allow: a bad option, a released connection. */
export class InterfaceError extends RockpoolError {
  readonly code = 'ROCKPOOL_INTERFACE'
}

/** The pool is closing or closed. */
export class PoolClosedError extends RockpoolError {
  readonly code = 'ROCKPOOL_POOL_CLOSED'
}

/** A wait on the pool outlasted its time; the message says who holds the connections and what failed. */
export class PoolTimeoutError extends RockpoolError {
  readonly code = 'ROCKPOOL_POOL_TIMEOUT'
}

/** More callers wait than `maxWaiting` allows. */
export class PoolOverloadedError extends RockpoolError {
  readonly code = 'ROCKPOOL_POOL_OVERLOADED'
}

/** Every connection is held by a caller that itself waits for this pool. */
export class PoolDeadlockError extends RockpoolError {
  readonly code = 'ROCKPOOL_POOL_DEADLOCK'
}

/** A connection could not be opened. */
export class ConnectError extends RockpoolError {
  readonly code = 'ROCKPOOL_CONNECT'
  /** Whether trying again without a change cannot help: a wrong password, an unknown database. */
  readonly permanent: boolean

  constructor(message: string, options: RockpoolErrorOptions & { permanent?: boolean } = {}) {
    super(message, options)
    this.permanent = options.permanent ?? false
  }
}

/** The connection went away, or broke the protocol, while it was needed. */
export class ConnectionLostError extends RockpoolError {
  readonly code = 'ROCKPOOL_CONNECTION_LOST'
}

/** A statement ran longer than its command time-out and was cancelled on the server. */
export class QueryTimeoutError extends RockpoolError {
  readonly code = 'ROCKPOOL_QUERY_TIMEOUT'
}

/** A value that cannot be encoded for, or decoded from, its PostgreSQL type. */
export class DataError extends RockpoolError {
  readonly code = 'ROCKPOOL_DATA'
}

/**
 * The fields of an ErrorResponse or NoticeResponse, by the names that this library gives them.
 * See "Error and Notice Message Fields" (protocol-error-fields) in the PostgreSQL documentation.
 */
export interface PostgresReport {
  severity: string
  sqlState: string
  message: string
  detail?: string
  hint?: string
  /** Counted in characters from 1, within the statement's text. */
  position?: number
  internalPosition?: number
  internalQuery?: string
  where?: string
  schema?: string
  table?: string
  column?: string
  dataType?: string
  constraint?: string
  file?: string
  line?: string
  routine?: string
}

/** An error that the server reported. */
export class PostgresError extends RockpoolError implements PostgresReport {
  readonly code = 'ROCKPOOL_POSTGRES'
  declare readonly severity: string
  declare readonly sqlState: string
  /** The name that Appendix A of the PostgreSQL documentation gives `sqlState`: `'unique_violation'`. */
  readonly condition: string
  declare readonly detail?: string
  declare readonly hint?: string
  declare readonly position?: number
  declare readonly internalPosition?: number
  declare readonly internalQuery?: string
  declare readonly where?: string
  declare readonly schema?: string
  declare readonly table?: string
  declare readonly column?: string
  declare readonly dataType?: string
  declare readonly constraint?: string
  declare readonly file?: string
  declare readonly line?: string
  declare readonly routine?: string

  constructor(report: PostgresReport, options: RockpoolErrorOptions = {}) {
    super(report.message, options)
    const { message: _, ...fields } = report
    Object.assign(this, fields)
    this.condition = conditionName(report.sqlState)
  }
}
