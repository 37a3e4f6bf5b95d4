import { InterfaceError } from '../../errors.ts'
import { type CallLimits, noLimits, type Session } from '../session.ts'
import { QueryCommand, type StatementResult } from './query-command.ts'
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
  limits.signal?.throwIfAborted()
  const before = new Before(session, () => between.isPending)
  const between = new Between(session, before, statement)
  const beginning = session.runUncounted(before, noLimits)
  const running = session.run(between, limits)
  const all = Promise.allSettled([
    beginning,
    running,
    session.runUncounted(new SimpleCommand(session, () => undoOf(before)), noLimits),
  ])
  await running.catch((error) => {
    // Nothing is to be undone: BEGIN is not going to be written, and nobody has to wait until it would have been.
    if (before.isUnwritten) throw error
  })
  const [begun, ran, undone] = await all
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
  readonly #isWanted: () => boolean
  #undo = ''

  constructor(session: Session, isWanted: () => boolean) {
    super(session, () => {
      const isOutside = this.#session.transactionStatus === 'I'
      this.#undo = isOutside ? 'ROLLBACK' : `ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`
      return isOutside ? 'BEGIN' : `SAVEPOINT ${savepoint}`
    })
    this.#session = session
    this.#isWanted = isWanted
  }

  get isUnwritten(): boolean {
    return this.isPending && !this.isWritten
  }

  override get isSolitary(): boolean {
    return true
  }

  override prepare(): void {
    if (!this.#isWanted()) throw notSent()
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
  throw notSent()
}

function notSent(): InterfaceError {
  return new InterfaceError('the statement could not be undone and was not sent', { outcome: 'not-sent' })
}

const savepoint = 'rockpool_explain'
