import { ConnectionLostError, type PostgresError } from '../../errors.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
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
  /** Whether the next of them is bound. */
  #isBound = false
  #fate: 'open' | 'failed' = 'open'
  /** Whether statements were found that SQL's PREPARE made. */
  #deallocates = false
  /** Whether its own statements were found to be gone, and are prepared again. */
  #preparesAnew = false

  constructor(session: Session, parts: SessionParts) {
    super(session)
    this.#session = session
    this.#parts = parts
  }

  override get isPrelude(): boolean {
    return true
  }

  override get fate(): 'open' | 'succeeded' | 'failed' {
    return this.#fate === 'open' && this.#left === 0 ? 'succeeded' : this.#fate
  }

  protected override compose(out: OutBuffer): void {
    const { resetStatements, transactionStatus } = this.#session
    this.#fate = 'open'
    this.#isBound = false
    const isOpen = transactionStatus !== 'I'
    this.#left = resetStatements.write(out, this.#parts, isOpen, this.#deallocates)
  }

  protected override complete(): { value: undefined } {
    if (this.#left !== 0) throw brokenProtocol('a reset did not end')
    this.#session.resetSucceeded()
    return { value: undefined }
  }

  override bindComplete(): void {
    this.#expect(!this.#isBound)
    this.#isBound = true
  }

  override commandComplete(): void {
    this.#expect(this.#isBound)
    this.#isBound = false
    this.#left--
  }

  /** What `pg_advisory_unlock_all` gives. */
  override dataRow(): void {
    this.#expect(this.#isBound)
  }

  /**
   * It begins anew where a cancel hit it that was meant for the statement behind it, where statements are left that SQL's
   * PREPARE made, and where its own are gone.
   */
  override error(error: PostgresError): void {
    this.#expect(true)
    this.#fate = 'failed'
    if (takesCancel(error, this.host)) return
    if (!this.#deallocates && statementsAreLeft(error)) {
      this.#deallocates = true
      return
    }
    if (!this.#preparesAnew && error.sqlState === '26000') {
      this.#preparesAnew = true
      this.#session.resetStatements.forget()
      return
    }
    this.#session.resetFailed(
      new ConnectionLostError(`the connection could not be reset: ${error.message}`, { cause: error }),
    )
  }

  override copyIn(): void {
    throw brokenProtocol('a reset was answered by a COPY')
  }

  override copyOut(): void {
    throw brokenProtocol('a reset was answered by a COPY')
  }

  override ready(status: TransactionStatus): Continuation {
    if (this.#fate === 'open') return super.ready(status)
    this.skipped()
    return 'again'
  }

  /** Behind an error the server skips what is left. One that does not may have run what stands behind the reset, too. */
  #expect(isInOrder: boolean): void {
    if (isInOrder && this.#fate === 'open') return
    this.#fate = 'open'
    throw brokenProtocol('a reset was answered out of order')
  }
}
