import type { PostgresError } from '../../errors.ts'
import { writeCloseStatement, writeExecute, writeParse } from '../../wire/frontend.ts'
import { Frontend } from '../../wire/messages.ts'
import { OutBuffer } from '../../wire/out-buffer.ts'
import { restore } from './restore.ts'
import { everyPart, noPart, SessionPart, type SessionParts } from './session-parts.ts'

/** The beginning and the end of the transaction, in every reset of any part. */
const frame = everyPart + 1
/** The end of a transaction that was left open. */
const rollback = frame * 2
/** Two parts by one statement, in place of a statement for each. */
const locksAndStatements = rollback * 2
const both = SessionPart.locks | SessionPart.statements

/**
 * Fails where statements that SQL's PREPARE made are left: which ones, only an answer could tell. Inside the
 * transaction, as a query behind its end would keep VACUUM and BEGIN ISOLATION LEVEL from being the next statement.
 */
const statementsRefused = `1 OPERATOR(pg_catalog./) CASE WHEN EXISTS
  (SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql) THEN 0 ELSE 1 END`

/** Whether `statementsRefused` failed as it is to fail; nothing else in a reset divides. */
export function statementsAreLeft({ sqlState }: PostgresError): boolean {
  return sqlState === '22012'
}

/** Comes in its place once it has failed. */
const deallocate = `DO LANGUAGE plpgsql $$ DECLARE left_over pg_catalog.name; BEGIN
  FOR left_over IN SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql LOOP
    EXECUTE pg_catalog.format('DEALLOCATE %I', left_over);
  END LOOP; END $$`

const steps = [
  { part: rollback, sql: 'ROLLBACK' },
  // What is given by default may have it wait for other transactions: serializable, read-only and deferrable.
  { part: frame, sql: 'BEGIN ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE' },
  ...restore.map(([part, sql]) => ({ part, sql })),
  { part: SessionPart.statements, sql: `SELECT ${statementsRefused}` },
  { part: locksAndStatements, sql: `SELECT pg_catalog.pg_advisory_unlock_all(), ${statementsRefused}` },
  { part: frame, sql: 'COMMIT' },
].map((step, index) => ({ ...step, name: `rockpool_reset_${index}` }))

/** The messages that run one reset whose statements are prepared: the same for every session. */
interface Script {
  bytes: Buffer
  commands: number
}

const scripts = new Map<SessionParts, Script>()

function scriptOf(parts: SessionParts): Script {
  let script = scripts.get(parts)
  if (script === undefined) {
    const out = new OutBuffer()
    script = { commands: writeSteps(out, parts, noPart), bytes: out.take() }
    scripts.set(parts, script)
  }
  return script
}

/** The steps of `parts`, those of `missing` prepared each in its turn: to prepare a query before BEGIN would take its snapshot. */
function writeSteps(out: OutBuffer, parts: SessionParts, missing: SessionParts, deallocates = false): number {
  let commands = 0
  for (const { part, name, sql } of steps) {
    if ((part & parts) === 0) continue
    commands++
    if (part === SessionPart.statements && deallocates) {
      writeParse(out, '', deallocate)
      writeBindBare(out, '')
      writeExecute(out, 0)
      continue
    }
    if ((part & missing) !== 0) {
      // It may be there though it was forgotten; closing what is not is no error.
      writeCloseStatement(out, name)
      writeParse(out, name, sql)
    }
    writeBindBare(out, name)
    writeExecute(out, 0)
  }
  return commands
}

/** Bind of a statement without parameters, whose rows do not matter ("Bind", protocol-message-formats). */
function writeBindBare(out: OutBuffer, name: string): void {
  const length = out.beginMessage(Frontend.Bind)
  out.cstring('')
  out.cstring(name)
  for (const count of [0, 0, 0]) out.int16(count)
  out.endMessage(length)
}

/** The statements of the reset that one session has prepared, each at its first use. */
export class ResetStatements {
  #prepared: SessionParts = noPart

  /** Writes the reset of `parts`, without a Sync, and returns how many commands will be answered. */
  write(out: OutBuffer, parts: SessionParts, isTransactionOpen: boolean, deallocates: boolean): number {
    if (deallocates) this.forget()
    const wanted = (parts & both) === both && !deallocates ? (parts & ~both) | locksAndStatements : parts
    const needed = (wanted === noPart ? noPart : wanted | frame) | (isTransactionOpen ? rollback : noPart)
    const missing = needed & ~this.#prepared
    if (missing !== 0) {
      this.#prepared |= deallocates ? needed & ~SessionPart.statements : needed
      return writeSteps(out, needed, missing, deallocates)
    }
    const { bytes, commands } = scriptOf(needed)
    out.bytes(bytes)
    return commands
  }

  /** The user's SQL may have deallocated them. */
  forget(): void {
    this.#prepared = noPart
  }
}
