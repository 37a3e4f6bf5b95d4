import { ConnectionLostError, InterfaceError, type Outcome, type PostgresReport } from '../errors.ts'
import type { Session } from './session.ts'
import { SimpleColumn } from './simple-command.ts'
import { quoteIdentifier } from './sql.ts'

/**
 * What a session can carry over to its next owner, taken back. Authorization comes first: what follows runs
 * with the rights of the session itself. Functions and catalogs are named with their schema, so that no
 * search_path can divert them. What the cache prepared (through the protocol, not with SQL's PREPARE) stays;
 * the last statement lists what the owner prepared.
 */
const resetSession = [
  'RESET SESSION AUTHORIZATION',
  'RESET ROLE',
  'RESET ALL',
  'CLOSE ALL',
  'UNLISTEN *',
  'DISCARD TEMP',
  'DISCARD SEQUENCES',
  'SELECT pg_catalog.pg_advisory_unlock_all()',
  'SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql',
].join('; ')

const noLimits = { timeout: 0, signal: undefined }

const openTransaction: PostgresReport = {
  severity: 'WARNING',
  sqlState: '25001',
  message:
    'a connection was released inside a transaction, which was rolled back; ' +
    'end it before the release, or use transaction()',
}

/**
 * Brings a released session back to what its next owner expects: nothing of the last owner's runs, no
 * transaction is open, no session state is left. Rejects where that cannot be had, and the connection must be
 * closed. `warn` hears of a transaction that was left open. `undefined`: nothing ran, nothing is to be done.
 */
export function resetReleased(
  session: Session,
  warn: (report: PostgresReport) => void,
): Promise<void> | undefined {
  if (session.isClosed)
    return Promise.reject(new ConnectionLostError('the connection was closed by its user'))
  return session.isIdle && session.isClean ? undefined : reset(session, warn)
}

async function reset(session: Session, warn: (report: PostgresReport) => void): Promise<void> {
  await session.abandonAll(releasedEarly)
  const isOpen = session.transactionStatus !== 'I'
  if (isOpen) warn(openTransaction)
  const text = isOpen ? `ROLLBACK; ${resetSession}` : resetSession
  const prepared = await session.runUncounted(new SimpleColumn(session, text), noLimits)
  if (prepared.length > 0) {
    const text = prepared.map((name) => `DEALLOCATE ${quoteIdentifier(name)}`).join('; ')
    await session.runUncounted(new SimpleColumn(session, text), noLimits)
  }
  session.markClean()
}

function releasedEarly(outcome: Outcome): InterfaceError {
  const fate = outcome === 'not-sent' ? 'it was not sent' : 'it was cancelled'
  return new InterfaceError(
    `the connection was released back to the pool before this statement ended (${fate}); await it first`,
    { outcome },
  )
}
