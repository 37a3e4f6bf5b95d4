import type { PostgresError, RockpoolError } from '../../errors.ts'
import type { PreparedArguments } from '../../wire/codecs/parameters.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
import { writeExecute } from '../../wire/frontend.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { Statement } from '../statements/statement.ts'
import type { StatementStore } from '../statements/statement-cache.ts'
import { PreparedCommand, type PreparedCommandHost } from './prepared-command.ts'

/**
 * One statement, run once for each list of arguments under one Sync: outside a transaction they are one
 * implicit transaction ("Pipelining", protocol-flow), so all of them take effect or none does.
 */
export class ManyCommand extends PreparedCommand<void> {
  readonly #argLists: readonly (readonly unknown[])[]
  #prepared: PreparedArguments[] = []
  #completed = 0

  constructor(
    host: PreparedCommandHost,
    sql: string,
    argLists: readonly (readonly unknown[])[],
    store?: StatementStore,
  ) {
    super(host, sql, store)
    this.#argLists = argLists
  }

  protected override prepareExecution(statement: Statement): void {
    this.#prepared = this.#argLists.map((args, index) =>
      indexed(index, () => statement.prepareArguments(args)),
    )
  }

  protected override writeExecution(out: OutBuffer, statement: Statement): void {
    this.#completed = 0
    for (const [index, args] of this.#prepared.entries()) {
      indexed(index, () => statement.writeBind(out, args))
      writeExecute(out, 0)
    }
  }

  protected override complete(): { value: undefined } {
    if (this.#completed !== this.#argLists.length) throw brokenProtocol('a statement did not end')
    return { value: undefined }
  }

  /** An error behind the last command's end is the transaction's (a deferred constraint) and has no index. */
  override error(error: PostgresError): void {
    if (this.isExecuting && this.#completed < this.#argLists.length) withIndex(error, this.#completed)
    super.error(error)
  }

  override dataRow(): void {}

  override commandComplete(tag: string): void {
    this.host.commandEnded(tag)
    this.#completed++
  }

  override emptyQuery(): void {
    this.#completed++
  }
}

function indexed<T>(index: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw withIndex(error as RockpoolError, index)
  }
}

function withIndex<E extends RockpoolError>(error: E, index: number): E {
  return Object.assign(error, { index })
}
