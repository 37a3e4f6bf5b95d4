import { ConnectionLostError, InterfaceError, type Outcome, type PostgresReport } from '../../errors.ts'
import { SimpleColumn, SimpleCommand } from '../commands/simple-command.ts'
import { noLimits, type Session } from '../session.ts'
import { quoteIdentifier } from '../sql/sql.ts'
import { ResetCommand } from './reset-command.ts'
import { restore } from './restore.ts'
import { noPart, SessionPart, type SessionParts } from './session-parts.ts'

/**
 * The owner's defaults, or those of the role or the database, count for the reset's own transaction, too: a serializable,
 * read-only and deferrable one waits until no other serializable transaction writes. What the access mode is matters
 * not, and a standby refuses READ WRITE.
 */
const waitForNobody = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE'

/** What the cache prepared (through the protocol, not with SQL's PREPARE) stays. */
const listPrepared = 'SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql'

const openTransaction: PostgresReport = {
  severity: 'WARNING',
  sqlState: '25001',
  message:
    'a connection was released inside a transaction, which was rolled back; ' +
    'end it before the release, or use transaction()',
}

export interface ResetManner {
  /** How long a reset that nobody waits for may take, in milliseconds; 0: no limit. */
  limit: number
  /** Whether the next owner may have the session at once, its first statement waiting for the reset on the server. */
  mayGoAhead: boolean
}

/**
 * Brings a released session back to what its next owner expects: nothing of the last owner's runs, no
 * transaction is open, and `parts` of its state are as they were at its start. `warn` hears of a transaction that was
 * left open. `undefined`: there is nothing to wait for, as nothing is to be done, or the reset goes ahead of whatever
 * the next owner asks for. Rejects where it cannot be had, and the connection must be closed.
 */
export function resetReleased(
  session: Session,
  parts: SessionParts,
  { limit, mayGoAhead }: ResetManner,
  warn: (report: PostgresReport) => void,
): Promise<void> | undefined {
  if (session.isClosed)
    return Promise.reject(new ConnectionLostError('the connection was closed by its user'))
  if (session.isClean && (session.isIdle || session.isResetting)) return undefined
  if (!session.isIdle || session.transactionStatus !== 'I') return reset(session, parts, warn)
  if (parts !== noPart && !(mayGoAhead && session.keepsStatements)) return reset(session, parts, warn)
  session.markClean()
  if (parts !== noPart) session.resetAhead(new ResetCommand(session, parts), limit)
  return undefined
}

async function reset(
  session: Session,
  parts: SessionParts,
  warn: (report: PostgresReport) => void,
): Promise<void> {
  await session.abandonAll(releasedEarly)
  const isOpen = session.transactionStatus !== 'I'
  if (isOpen) warn(openTransaction)
  const steps = restore.filter(([part]) => (parts & part) !== 0).map(([, sql]) => sql)
  if (parts !== noPart) steps.unshift(waitForNobody)
  if (isOpen) steps.unshift('ROLLBACK')
  if ((parts & SessionPart.statements) === 0) await run(session, steps)
  else await run(session, (await list(session, [...steps, listPrepared])).map(deallocation))
  session.markClean()
}

const deallocation = (name: string) => `DEALLOCATE ${quoteIdentifier(name)}`

async function run(session: Session, steps: readonly string[]): Promise<void> {
  if (steps.length > 0) await session.runUncounted(new SimpleCommand(session, steps.join('; ')), noLimits)
}

/** The first column of the last step. */
function list(session: Session, steps: readonly string[]): Promise<string[]> {
  return session.runUncounted(new SimpleColumn(session, steps.join('; ')), noLimits)
}

function releasedEarly(outcome: Outcome): InterfaceError {
  const fate = outcome === 'not-sent' ? 'it was not sent' : 'it was cancelled'
  return new InterfaceError(
    `the connection was released back to the pool before this statement ended (${fate}); await it first`,
    { outcome },
  )
}
