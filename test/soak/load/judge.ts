import {
  ConnectError,
  ConnectionLostError,
  PoolClosedError,
  PoolTimeoutError,
  PostgresError,
  QueryTimeoutError,
  RockpoolError,
} from '../../../src/index.ts'

/** What the server may say to a statement because of a fault, by SQLSTATE, and which one. */
const blameless = new Map([
  ['25006', 'the server was made read-only'],
  ['53300', 'strangers took all places'],
  ['57014', 'the statement_timeout of the server'],
  ['57P01', 'the session was ended'],
  ['57P02', 'another session crashed'],
  ['57P03', 'the server starts or stops'],
])

const blamelessClasses = [
  ConnectError,
  ConnectionLostError,
  PoolClosedError,
  PoolTimeoutError,
  QueryTimeoutError,
]

/** serialization_failure and deadlock_detected: users of one table meet, with no fault of anybody. */
const encounters = new Set(['40001', '40P01'])

/** Whether other users of the tables can be the reason of an error. */
export function canBeOfOthers(error: unknown): boolean {
  return error instanceof PostgresError && encounters.has(error.sqlState)
}

/** Whether a fault can be the reason of an error. Everything else is a mistake, whenever it comes. */
export function canBeOfFault(error: unknown): boolean {
  if (error instanceof PostgresError) return blameless.has(error.sqlState)
  return blamelessClasses.some((kind) => error instanceof kind)
}

/** What an error is called in the report. */
export function nameOf(error: unknown): string {
  if (error instanceof PostgresError) return `${error.sqlState} ${error.condition}`
  return error instanceof Error ? error.name : String(error)
}

/** All that is known of an error, with its causes, in one line. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { outcome } = error as RockpoolError
  const told = `${nameOf(error)}: ${error.message}${outcome === undefined ? '' : ` (outcome ${outcome})`}`
  const at = error instanceof RockpoolError ? '' : ` ${error.stack?.split('\n').slice(1, 4).join(' ')}`
  return error.cause === undefined ? told + at : `${told}${at} ← ${describe(error.cause)}`
}
