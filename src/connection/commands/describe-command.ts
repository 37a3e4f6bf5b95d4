import { brokenProtocol } from '../../wire/frame-reader.ts'
import type { Statement } from '../statements/statement.ts'
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
  readonly #columns: number | undefined

  /** @param columns how many its text names; `undefined`: it does not tell */
  constructor(host: PreparedCommandHost, sql: string, columns?: number) {
    super(host, sql, unkept)
    this.#columns = columns
  }

  protected override complete(): { value: Statement } {
    const described = super.complete()
    const { length } = described.value.fields
    if (this.#columns !== undefined && length !== this.#columns) {
      throw brokenProtocol(`a statement of ${this.#columns} columns was described with ${length}`)
    }
    return described
  }
}
