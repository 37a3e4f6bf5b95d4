import { noPart, partsTouchedBy, type SessionParts } from './connection/reset/session-parts.ts'
import type { SessionOwner } from './connection/session.ts'
import { type ConnectionLostError, PostgresError } from './errors.ts'

/** What a pool wants to hear of its sessions. */
export interface MemberListener {
  lost(error: ConnectionLostError, hasFailedReset: boolean): void
  statementsOutdated(): void
  listenerFailed(error: unknown): void
}

/** What a pool remembers of one of its sessions between its opening and its end. */
export class PoolMember implements SessionOwner {
  /** What of the session's state its users can have touched since it was as new, as far as their statements' texts tell. */
  touched: SessionParts = noPart
  /** Whether the server refused a write since it was asked last (25006 read_only_sql_transaction). */
  wasRefusedWrite = false
  readonly runs?: (sql: string | undefined) => void
  readonly #listener: MemberListener

  /** Texts are only read where `readsTexts`. */
  constructor(listener: MemberListener, readsTexts: boolean) {
    this.#listener = listener
    if (readsTexts) this.runs = (sql) => this.#touch(sql)
  }

  lost(error: ConnectionLostError, hasFailedReset: boolean): void {
    this.#listener.lost(error, hasFailedReset)
  }

  listenerFailed(error: unknown): void {
    this.#listener.listenerFailed(error)
  }

  statementFailed(error: unknown): void {
    if (error instanceof PostgresError && error.sqlState === '25006') this.wasRefusedWrite = true
  }

  statementsOutdated(): void {
    this.#listener.statementsOutdated()
  }

  #touch(sql: string | undefined): void {
    this.touched |= partsTouchedBy(sql)
  }
}
