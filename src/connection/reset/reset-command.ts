import { ConnectionLostError, type PostgresError } from '../../errors.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import { Command } from '../commands/command.ts'
import type { Session } from '../session.ts'
import type { SessionParts } from './session-parts.ts'

/**
 * The reset of an idle session as a prelude: whoever comes next is written behind it, in the same write where that is in
 * the same turn. It is a transaction of its own, which no later error can roll back. One that fails takes the connection
 * along.
 */
export class ResetCommand extends Command<void> {
  protected readonly copyNeedsSync = true
  readonly #session: Session
  readonly #parts: SessionParts
  #left = 0

  constructor(session: Session, parts: SessionParts) {
    super(session)
    this.#session = session
    this.#parts = parts
  }

  override get isPrelude(): boolean {
    return true
  }

  override get isAnswered(): boolean {
    return this.#left === 0
  }

  protected override compose(out: OutBuffer): void {
    this.#left = this.#session.resetStatements.write(out, this.#parts)
  }

  protected override complete(): { value: undefined } {
    return { value: undefined }
  }

  override commandComplete(): void {
    this.#left--
  }

  /** What `pg_advisory_unlock_all` gives. */
  override dataRow(): void {}

  override error(error: PostgresError): void {
    super.error(error)
    this.#session.resetFailed(
      new ConnectionLostError(`the connection could not be reset: ${error.message}`, { cause: error }),
    )
  }
}
