import { ConnectionLostError, type PostgresError } from '../../errors.ts'
import type { TransactionStatus } from '../../wire/messages.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { Continuation } from '../../wire/request.ts'
import { Command, takesCancel } from '../commands/command.ts'
import type { Session } from '../session.ts'
import { statementsAreLeft } from './reset-statements.ts'
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
  /** How many commands are still to be answered. */
  #left = 0
  #fate: 'open' | 'failed' = 'open'
  #writes: 'reset' | 'deallocation' = 'reset'

  constructor(session: Session, parts: SessionParts) {
    super(session)
    this.#session = session
    this.#parts = parts
  }

  override get isPrelude(): boolean {
    return true
  }

  override get fate(): 'open' | 'succeeded' | 'failed' {
    return this.#left === 0 ? 'succeeded' : this.#fate
  }

  protected override compose(out: OutBuffer): void {
    const { resetStatements, transactionStatus } = this.#session
    this.#fate = 'open'
    this.#left =
      this.#writes === 'reset'
        ? resetStatements.write(out, this.#parts, transactionStatus !== 'I')
        : resetStatements.writeDeallocation(out)
  }

  protected override complete(): { value: undefined } {
    return { value: undefined }
  }

  override commandComplete(): void {
    this.#left--
  }

  /** What `pg_advisory_unlock_all` gives. */
  override dataRow(): void {}

  /** A cancel that was meant for the last owner's statement, or statements that he prepared: it goes on with what is to do. */
  override error(error: PostgresError): void {
    this.#fate = 'failed'
    if (takesCancel(error, this.host)) return
    if (this.#writes === 'reset' && statementsAreLeft(error)) {
      this.#writes = 'deallocation'
      return
    }
    super.error(error)
    this.#session.resetFailed(
      new ConnectionLostError(`the connection could not be reset: ${error.message}`, { cause: error }),
    )
  }

  override ready(status: TransactionStatus): Continuation {
    if (this.#fate === 'open' || this.failure !== undefined) return super.ready(status)
    this.skipped()
    return 'again'
  }
}
