import type { Session } from './connection/session.ts'
import type { Lease } from './pooling/index.ts'

/** No more statements than this are in flight on one connection, */
const mostInFlight = 128
/** and no more than the server is expected to take so many milliseconds for. */
const longestQueue = 10
/** A connection whose head has been at the server for so many milliseconds gets nothing more until it has ended. */
const longestWait = 10

/** What takes the server no more than so many milliseconds is soon done. */
const littleWork = 2

/** How a statement left its carrier: answered by the server, never sent to it, or with its caller gone. */
export type End = 'answered' | 'refused' | 'abandoned'

/** A leased connection that carries the one-shots of several callers. */
export class Carrier {
  readonly lease: Lease<Session>
  /** Statements given to it that have not ended. */
  inFlight = 0
  /** What the server is expected to take for them, in milliseconds. */
  #work = 0
  /** When the last statement ended, or the first of those in flight was begun. */
  #progressAt: number
  /** No newcomers any more. */
  #isLeaving = false
  /** Whether the time between two ends is not that of the second statement alone. */
  #isDisturbed = false
  /** How many more may board. */
  #left: number
  /** When it has to go back to the pool. */
  readonly #endsAt: number

  constructor(lease: Lease<Session>, now: number, endsAt: number, left: number) {
    this.lease = lease
    this.#progressAt = now
    this.#endsAt = endsAt
    this.#left = left
  }

  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Whether a statement that is expected to take `work` milliseconds would be answered soon behind the others. */
  hasRoom(work: number, now: number): boolean {
    if (this.#isLeaving || this.lease.connection.isClosed) return false
    if (this.inFlight === 0) return true
    return (
      this.inFlight < mostInFlight &&
      this.#work + work <= longestQueue &&
      now - this.#progressAt <= longestWait
    )
  }

  /** Whether the server would soon be done with what it has, and with what is expected to take `work` milliseconds. */
  isShort(work: number): boolean {
    return this.inFlight === 0 || this.#work + work <= littleWork
  }

  board(work: number, now: number): void {
    if (this.inFlight++ === 0) this.#progressAt = now
    this.#work += work
    if (--this.#left <= 0) this.#isLeaving = true
  }

  /**
   * A statement that was expected to take `work` has ended. Returns how long the server took for it, in milliseconds, or
   * `undefined` where that cannot be told. What the server works on is unknown once a caller is gone, and until the
   * cancel has ended nothing is written: there is no place for newcomers then.
   */
  alight(work: number, now: number, end: End): number | undefined {
    this.inFlight--
    this.#work = this.inFlight === 0 ? 0 : this.#work - work
    if (end === 'abandoned') this.#isDisturbed = true
    if (end === 'abandoned' || now >= this.#endsAt || this.lease.connection.isClosed) this.#isLeaving = true
    if (end !== 'answered') return undefined
    const time = this.#isDisturbed ? undefined : now - this.#progressAt
    this.#progressAt = now
    return time
  }

  leave(): void {
    this.#isLeaving = true
  }
}
