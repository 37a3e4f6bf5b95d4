import type { Clock } from '../deadline.ts'

/** Tells that a connection has died by itself, or, with its reset under way after it was handed on, that this failed. */
export type Lost = (error: Error, reason?: 'lost' | 'resetFailed') => void

/** All that the pool knows of the connections it keeps. A call that throws counts as one that rejects. */
export interface Connector<C> {
  /**
   * Opens one connection, `init` hook included. `lost` is called at most once, when the connection dies by
   * itself, in whatever state. An abort of `signal` (by `terminate`, or by `close` where nobody waits for this
   * connection any more) makes it reject soon and leave nothing open.
   */
  connect(lost: Lost, signal: AbortSignal): Promise<C>
  /** Whether a failed connect cannot succeed by trying again: a wrong password, an unknown database, a hook that threw. */
  isPermanent(error: unknown): boolean
  /** Whether the connection is alive: rejects if it is not. Bounded by `checkTimeout`. */
  check(connection: C): Promise<void>
  /** Runs before each hand-out; absent, nothing does. Bounded by `hookTimeout`. Its failure closes the connection and rejects that caller. */
  prepare?(connection: C): Promise<void>
  /** Whether its user has closed it; asked, where it is there, at each release. */
  isEnded?(connection: C): boolean
  /**
   * Runs at each release. `undefined`: there is nothing to wait for, and the connection may be handed on in this
   * very turn. A rejection closes the connection. Bounded by `hookTimeout`.
   */
  reset(connection: C): Promise<void> | undefined
  /** Told, where it is there, that the connection is idle from now on, or is not any more. */
  rest?(connection: C, isIdle: boolean): void
  /** The commands that ran on the connection so far, for `maxQueries`. */
  commands(connection: C): number
  /** Says goodbye; resolves when the server has closed the socket. After `closeTimeout` the pool calls `terminate`. */
  close(connection: C): Promise<void>
  /** Ends it at once, whatever runs on it; resolves when its socket, timers and listeners are gone. */
  terminate(connection: C): Promise<void>
}

/** What the pool takes from the world. */
export interface Environment {
  clock: Clock
  /** From 0 up to, but not including, 1. */
  random(): number
}
