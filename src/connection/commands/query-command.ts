import { DataError } from '../../errors.ts'
import { checkArgumentCount, type PreparedArguments } from '../../wire/codecs/parameters.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
import { writeExecute } from '../../wire/frontend.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { RowMode, RowReader } from '../../wire/row-reader.ts'
import type { Statement } from '../statements/statement.ts'
import type { StatementStore } from '../statements/statement-cache.ts'
import { PreparedCommand, type PreparedCommandHost } from './prepared-command.ts'

/** A statement's whole result. */
export interface StatementResult {
  rows: unknown[]
  /** The command tag: `'INSERT 0 1'`; empty for an empty statement, and where there are rows beyond the limit. */
  tag: string
  /** Whether it ran to its end, and not only to the limit. */
  isComplete: boolean
  statement: Statement
}

export interface QueryShape {
  rowMode: RowMode
  /** How many rows are wanted; 0: all; `'bound'`: none yet, its portal is only opened. */
  limit: number | 'bound'
}

/** Where a command gets its statement from, if not from the cache, and where the rows behind its limit stay. */
export interface Execution {
  store: StatementStore
  /** Its name; the unnamed portal goes with the next statement. */
  portal: string
}

/** One statement, run once; `finish` makes the caller's value of its result. */
export class QueryCommand<T> extends PreparedCommand<T> {
  readonly #args: readonly unknown[]
  readonly #shape: QueryShape
  readonly #finish: (result: StatementResult) => T
  readonly #portal: string
  #prepared: PreparedArguments | undefined
  #rows: unknown[] = []
  #tag = ''
  /** Where it stopped: nowhere yet, at its limit, at its end. */
  #stopped: 'no' | 'limit' | 'end' = 'no'
  #statement: Statement | undefined
  #read: RowReader | undefined

  constructor(
    host: PreparedCommandHost,
    sql: string,
    args: readonly unknown[],
    shape: QueryShape,
    finish: (result: StatementResult) => T,
    execution: Execution = { store: host.cache, portal: '' },
  ) {
    super(host, sql, execution.store)
    checkArgumentCount(args.length)
    this.#args = args
    this.#shape = shape
    this.#finish = finish
    this.#portal = execution.portal
  }

  protected override prepareExecution(statement: Statement): void {
    this.#prepared = statement.prepareArguments(this.#args)
  }

  protected override writeExecution(out: OutBuffer, statement: Statement): void {
    this.#statement = statement
    this.#rows = []
    this.#stopped = this.#shape.limit === 'bound' ? 'limit' : 'no'
    this.#read = undefined
    statement.writeBind(out, this.#prepared!, this.#portal)
    if (this.#shape.limit !== 'bound') writeExecute(out, this.#shape.limit, this.#portal)
  }

  protected override complete(): { value: T } {
    if (this.#statement === undefined || this.#stopped === 'no')
      throw brokenProtocol('a statement did not end')
    return {
      value: this.#finish({
        rows: this.#rows,
        tag: this.#tag,
        isComplete: this.#stopped === 'end',
        statement: this.#statement,
      }),
    }
  }

  override dataRow(bytes: Buffer, start: number, end: number): void {
    if (this.failure !== undefined) return
    if (this.#statement === undefined) throw brokenProtocol('a row came before its description')
    this.#read ??= this.#statement.reader(this.#shape.rowMode)
    try {
      this.#rows.push(this.#read(bytes, start, end))
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      this.failure = error
    }
  }

  override commandComplete(tag: string): void {
    this.host.commandEnded(tag)
    this.#tag = tag
    this.#stopped = 'end'
  }

  override emptyQuery(): void {
    this.#stopped = 'end'
  }

  override portalSuspended(): void {
    if (this.#shape.limit === 0) throw brokenProtocol('a portal without a limit was suspended')
    this.#stopped = 'limit'
  }
}
