import { PreparedCommand, type PreparedCommandHost } from './prepared-command.ts'
import type { Statement } from './statement.ts'
import type { StatementStore } from './statement-cache.ts'

/** The unnamed statement, prepared for each use. */
const unkept: StatementStore = {
  get: () => undefined,
  nameFor: () => '',
  add() {},
}

/**
 * What the server says now about a statement that is not run: no cached answer is out of date, and no right to what
 * the statement reads is needed. Its types are known to the session then.
 */
export class DescribeCommand extends PreparedCommand<Statement> {
  #statement: Statement | undefined

  constructor(host: PreparedCommandHost, sql: string) {
    super(host, sql, unkept)
  }

  protected override prepareExecution(statement: Statement): void {
    this.#statement = statement
  }

  protected override writeExecution(): void {}

  protected override complete(): { value: Statement } {
    return { value: this.#statement! }
  }
}
