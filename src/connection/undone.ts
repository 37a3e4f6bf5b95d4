import { InterfaceError } from '../errors.ts'
import { QueryCommand, type StatementResult } from './query-command.ts'
import type { CallLimits, Session } from './session.ts'
import { SimpleCommand, SimpleQuery } from './simple-command.ts'

/**
 * Runs one statement in a transaction, or behind a savepoint, that is rolled back. Which of them it needs is seen when
 * nothing is ahead of it any more; nothing that is asked for meanwhile comes between, and unless what undoes the
 * statement is in place, the statement is not sent.
 */
export async function runUndone<T>(
  session: Session,
  statement: { sql: string; args: readonly unknown[]; finish: (result: StatementResult) => T },
  limits: CallLimits,
): Promise<T> {
  const before = new Before(session)
  const between = new Between(session, before, statement)
  const [begun, ran, undone] = await Promise.allSettled([
    session.runUncounted(before, noLimits),
    session.run(between, limits),
    session.runUncounted(new SimpleCommand(session, () => undoOf(before)), noLimits),
  ])
  if (begun.status === 'rejected') throw begun.reason
  if (ran.status === 'rejected') throw ran.reason
  if (undone.status === 'rejected') throw undone.reason
  return ran.value
}

/** Begins a transaction, or a savepoint where one is open. Being written alone, it knows. */
class Before extends SimpleQuery<void> {
  /** What undoes it; `undefined` until it has succeeded. */
  undo: string | undefined
  readonly #session: Session
  #undo = ''

  constructor(session: Session) {
    super(session, () => {
      const isOutside = this.#session.transactionStatus === 'I'
      this.#undo = isOutside ? 'ROLLBACK' : `ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`
      return isOutside ? 'BEGIN' : `SAVEPOINT ${savepoint}`
    })
    this.#session = session
  }

  override get isSolitary(): boolean {
    return true
  }

  protected override complete(): { value: undefined } {
    this.undo = this.#undo
    return { value: undefined }
  }
}

class Between<T> extends QueryCommand<T> {
  readonly #before: Before

  constructor(
    session: Session,
    before: Before,
    { sql, args, finish }: { sql: string; args: readonly unknown[]; finish: (result: StatementResult) => T },
  ) {
    super(session, sql, args, { rowMode: 'array', limit: 0 }, finish)
    this.#before = before
  }

  override prepare(): void {
    undoOf(this.#before)
    super.prepare()
  }
}

function undoOf({ undo }: Before): string {
  if (undo !== undefined) return undo
  throw new InterfaceError('the statement could not be undone and was not sent', { outcome: 'not-sent' })
}

const savepoint = 'rockpool_explain'
const noLimits = { timeout: 0, signal: undefined }
