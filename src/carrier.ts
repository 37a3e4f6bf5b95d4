import type { Session } from './connection/session.ts'
import type { Lease } from './pooling/index.ts'

/** No more statements than this are in flight on one connection, */
const mostInFlight = 128
/** and no more than the server is expected to take so many milliseconds for. */
const longestQueue = 10
/** A connection whose head has been at the server for so many milliseconds gets nothing more until it has ended. */
const longestWait = 10

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
  /** When it has to go back to the pool. */
  readonly #endsAt: number

  constructor(lease: Lease<Session>, now: number, endsAt: number) {
    this.lease = lease
    this.#progressAt = now
    this.#endsAt = endsAt
  }

  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Whether a statement that is expected to take `work` milliseconds would be answered soon behind the others. */
  hasRoom(work: number, now: number): boolean {
    if (this.#isLeaving) return false
    if (this.inFlight === 0) return true
    return (
      this.inFlight < mostInFlight &&
      this.#work + work <= longestQueue &&
      now - this.#progressAt <= longestWait
    )
  }

  board(work: number, now: number): void {
    if (this.inFlight++ === 0) this.#progressAt = now
    this.#work += work
  }

  /** Returns how long the server took for a statement that was expected to take `work`, in milliseconds. */
  alight(work: number, now: number): number {
    const time = now - this.#progressAt
    this.#progressAt = now
    this.inFlight--
    this.#work = this.inFlight === 0 ? 0 : this.#work - work
    if (now >= this.#endsAt || this.lease.connection.isClosed) this.#isLeaving = true
    return time
  }

  leave(): void {
    this.#isLeaving = true
  }
}
