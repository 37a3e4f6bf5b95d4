import { InterfaceError, type RockpoolError } from '../errors.ts'
import { checked } from './call-limits.ts'
import { checkOptions } from './check-options.ts'
import { SimpleCommand } from './commands/simple-command.ts'
import type { Session } from './session.ts'
import { SessionQueries } from './session-queries.ts'

const isolationLevels = {
  'read uncommitted': 'READ UNCOMMITTED',
  'read committed': 'READ COMMITTED',
  'repeatable read': 'REPEATABLE READ',
  serializable: 'SERIALIZABLE',
} as const

export interface TransactionOptions {
  /** Default: the server's `default_transaction_isolation`. */
  isolation?: keyof typeof isolationLevels
  /** Default: the server's `default_transaction_read_only`. */
  readOnly?: boolean
  /** Only matters with `serializable` and `readOnly`: wait for a snapshot that cannot fail. Default false. */
  deferrable?: boolean
}

/** What a transaction runs in: it must be usable for the transaction to be. */
export interface TransactionScope {
  checkUsable(method: string, kind?: string): void
}

/**
 * A transaction, or a savepoint in one, for as long as its callback runs; afterwards every call rejects. It has
 * the connection's calls.
 */
export class Transaction extends SessionQueries {
  protected readonly kind = 'Transaction'
  readonly #scope: TransactionScope
  readonly #depth: number
  #savepoint = false

  /** Made by `transaction()`. `depth` 0: the transaction itself; else that of the savepoint. */
  constructor(session: Session, scope: TransactionScope, depth: number) {
    super(session)
    this.#scope = scope
    this.#depth = depth
  }

  /**
   * Runs `work` behind a savepoint: when it rejects, what it did is rolled back, the rest of the transaction
   * stays, and the error is passed on.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T> | T): Promise<T> {
    this.checkUsable('transaction')
    if (this.#savepoint) {
      throw new InterfaceError(
        'Transaction.transaction(): one is open inside this transaction already; await it before the next',
        { outcome: 'not-sent' },
      )
    }
    this.#savepoint = true
    try {
      const depth = this.#depth + 1
      const name = `rockpool_${depth}`
      return await runScope(this.session, this, depth, work, {
        begin: `SAVEPOINT ${name}`,
        commit: `RELEASE SAVEPOINT ${name}`,
        rollback: `ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`,
      })
    } finally {
      this.#savepoint = false
    }
  }

  override checkUsable(method: string, kind = this.kind): void {
    this.#scope.checkUsable(method, kind)
    super.checkUsable(method, kind)
  }
}

/** Runs `work` in a transaction of `session`, for as long as `scope` may use it. */
export function runTransaction<T>(
  session: Session,
  scope: TransactionScope,
  work: (tx: Transaction) => Promise<T> | T,
  options: TransactionOptions,
): Promise<T> {
  return runScope(session, scope, 0, work, {
    begin: checked('transaction', () => beginText(options)),
    commit: 'COMMIT',
    rollback: 'ROLLBACK',
  })
}

export const transactionOptionNames = [
  'isolation',
  'readOnly',
  'deferrable',
] as const satisfies readonly (keyof TransactionOptions)[]

/** @throws InterfaceError naming the option that is not what it should be. */
export function beginText(options: TransactionOptions): string {
  checkOptions(options, transactionOptionNames)
  const { isolation, readOnly, deferrable } = options
  let text = 'BEGIN'
  if (isolation !== undefined) {
    const level = Object.hasOwn(isolationLevels, isolation) ? isolationLevels[isolation] : undefined
    if (level === undefined) {
      const known = Object.keys(isolationLevels).join("', '")
      throw new InterfaceError(`isolation: ${JSON.stringify(isolation)} is not known; use one of '${known}'`)
    }
    text += ` ISOLATION LEVEL ${level}`
  }
  for (const [name, value] of Object.entries({ readOnly, deferrable })) {
    if (value !== undefined && typeof value !== 'boolean') {
      throw new InterfaceError(`${name}: must be true or false`)
    }
  }
  if (readOnly !== undefined) text += readOnly ? ' READ ONLY' : ' READ WRITE'
  if (deferrable !== undefined) text += deferrable ? ' DEFERRABLE' : ' NOT DEFERRABLE'
  return text
}

interface ScopeTexts {
  begin: string
  commit: string
  rollback: string
}

async function runScope<T>(
  session: Session,
  scope: TransactionScope,
  depth: number,
  work: (tx: Transaction) => Promise<T> | T,
  texts: ScopeTexts,
): Promise<T> {
  await begin(session, scope, texts)
  const tx = new Transaction(session, scope, depth)
  const kind = depth === 0 ? 'transaction' : 'savepoint'
  let value: T
  try {
    value = await work(tx)
    scope.checkUsable('transaction')
  } catch (error) {
    tx.end(`its ${kind} was rolled back`)
    await rollBack(session, scope, texts)
    throw error
  }
  tx.end(`its ${kind} has ended`)
  if (session.isIdle && session.transactionStatus === 'E') {
    await rollBack(session, scope, texts)
    throw rolledBack(kind, session.failedBy)
  }
  if ((await run(session, texts.commit)) === 'ROLLBACK') throw rolledBack(kind, session.failedBy)
  return value
}

/** A BEGIN whose fate is not known (its time ran out behind others) may yet take effect, and must not stay. */
async function begin(session: Session, scope: TransactionScope, texts: ScopeTexts): Promise<void> {
  try {
    await run(session, texts.begin)
  } catch (error) {
    const { outcome } = error as RockpoolError
    if (outcome === 'unknown' || outcome === 'executed') await rollBack(session, scope, texts)
    throw error
  }
}

/** The error that brought us here is what the caller hears; one of the ROLLBACK's own says no more than it does. */
async function rollBack(session: Session, scope: TransactionScope, texts: ScopeTexts): Promise<void> {
  try {
    scope.checkUsable('transaction')
    await session.runAnyway(new SimpleCommand(session, texts.rollback))
  } catch {}
}

function rolledBack(kind: string, cause: unknown): InterfaceError {
  return new InterfaceError(
    `the ${kind} was rolled back: a statement in it had failed, and its error was caught inside the callback; ` +
      'let it through, or put that statement in a tx.transaction() of its own',
    { outcome: 'failed', cause },
  )
}

function run(session: Session, text: string): Promise<string> {
  return session.run(new SimpleCommand(session, text), session.limits())
}
