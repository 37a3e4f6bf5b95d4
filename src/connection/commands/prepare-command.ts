import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { Statement } from '../statements/statement.ts'
import { PreparedCommand } from './prepared-command.ts'

/** Has a statement parsed and described, and not run; its types are known to the session then. */
export class PrepareCommand extends PreparedCommand<Statement> {
  #statement!: Statement

  protected override prepareExecution(): void {}

  protected override writeExecution(_out: OutBuffer, statement: Statement): void {
    this.#statement = statement
  }

  protected override complete(): { value: Statement } {
    return { value: this.#statement }
  }
}
