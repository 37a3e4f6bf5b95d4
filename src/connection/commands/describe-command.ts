import type { StatementStore } from '../statements/statement-cache.ts'
import { PrepareCommand } from './prepare-command.ts'
import type { PreparedCommandHost } from './prepared-command.ts'

/** The unnamed statement, prepared for each use. */
const unkept: StatementStore = {
  get: () => undefined,
  keeps: () => false,
  nameFor: () => '',
  add() {},
  forget() {},
}

/**
 * What the server says now about a statement that is not run: no cached answer is out of date, and no right to what
 * the statement reads is needed. Its types are known to the session then.
 */
export class DescribeCommand extends PrepareCommand {
  constructor(host: PreparedCommandHost, sql: string) {
    super(host, sql, unkept)
  }
}
