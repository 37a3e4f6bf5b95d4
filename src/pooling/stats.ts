/** Why a connection was closed. */
export type CloseReason =
  /** Beyond `minSize`, and idle for `maxInactiveConnectionLifetime`. */
  | 'idle'
  | 'maxQueries'
  | 'maxLifetime'
  /** Older than the last `expire`. */
  | 'expired'
  /** Beyond a `maxSize` that was lowered. */
  | 'resized'
  /** Its user called its `close()` or `terminate()`. */
  | 'byUser'
  /** It died by itself. */
  | 'lost'
  | 'checkFailed'
  | 'prepareFailed'
  | 'resetFailed'
  /** `close` was called, or the start failed. */
  | 'poolClosed'
  | 'terminated'

/** What happened since the pool was made. */
export interface PoolTotals {
  opened: number
  connectFailures: number
  acquired: number
  /** Callers whose time ran out. */
  timedOut: number
  /** Callers refused because of `maxWaiting`. */
  overloaded: number
  closed: Record<CloseReason, number>
}

export function zeroTotals(): PoolTotals {
  return {
    opened: 0,
    connectFailures: 0,
    acquired: 0,
    timedOut: 0,
    overloaded: 0,
    closed: {
      idle: 0,
      maxQueries: 0,
      maxLifetime: 0,
      expired: 0,
      resized: 0,
      byUser: 0,
      lost: 0,
      checkFailed: 0,
      prepareFailed: 0,
      resetFailed: 0,
      poolClosed: 0,
      terminated: 0,
    },
  }
}

/**
 * The pool at one moment. free + connecting + checking + preparing + idle + leased + resetting + closing =
 * maxSize, but while a lowered `maxSize` is still exceeded.
 */
export interface PoolStats {
  minSize: number
  maxSize: number
  /** Open connections: idle, in use, or on their way between these. */
  size: number
  free: number
  connecting: number
  checking: number
  preparing: number
  idle: number
  leased: number
  resetting: number
  closing: number
  /** Callers that wait for a connection. */
  waiting: number
  /** For how long the oldest hand-out lasts, in milliseconds; 0: nothing is handed out. */
  longestHeld: number
  /** Who has it, where the caller said so. */
  longestHolder: string | undefined
  totals: PoolTotals
}
