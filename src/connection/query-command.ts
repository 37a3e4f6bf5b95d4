import { DataError } from '../errors.ts'
import { checkArgumentCount, type PreparedArguments } from '../wire/codecs/parameters.ts'
import { brokenProtocol } from '../wire/frame-reader.ts'
import { writeExecute } from '../wire/frontend.ts'
import type { FieldDescription } from '../wire/messages.ts'
import type { OutBuffer } from '../wire/out-buffer.ts'
import type { RowMode, RowReader } from '../wire/row-reader.ts'
import { PreparedCommand, type PreparedCommandHost } from './prepared-command.ts'
import type { Statement } from './statement.ts'

/** A statement's whole result. */
export interface StatementResult {
  rows: unknown[]
  /** The command tag: `'INSERT 0 1'`; empty for an empty statement. */
  tag: string
  fields: readonly FieldDescription[]
}

export interface QueryShape {
  rowMode: RowMode
  /** How many rows are wanted; 0: all. */
  limit: number
}

/** One statement, run once; `finish` makes the caller's value of its result. */
export class QueryCommand<T> extends PreparedCommand<T> {
  readonly #args: readonly unknown[]
  readonly #shape: QueryShape
  readonly #finish: (result: StatementResult) => T
  #prepared: PreparedArguments | undefined
  #rows: unknown[] = []
  #tag = ''
  #statement: Statement | undefined
  #read: RowReader | undefined

  constructor(
    host: PreparedCommandHost,
    sql: string,
    args: readonly unknown[],
    shape: QueryShape,
    finish: (result: StatementResult) => T,
  ) {
    super(host, sql)
    checkArgumentCount(args.length)
    this.#args = args
    this.#shape = shape
    this.#finish = finish
  }

  protected override prepareExecution(statement: Statement): void {
    this.#prepared = statement.prepareArguments(this.#args)
  }

  protected override writeExecution(out: OutBuffer, statement: Statement): void {
    this.#statement = statement
    this.#rows = []
    this.#read = statement.fields.length > 0 ? statement.reader(this.#shape.rowMode) : undefined
    statement.writeBind(out, this.#prepared!)
    writeExecute(out, this.#shape.limit)
  }

  protected override executed(): { value: T } {
    return { value: this.#finish({ rows: this.#rows, tag: this.#tag, fields: this.#statement!.fields }) }
  }

  override dataRow(bytes: Buffer, start: number, end: number): void {
    if (this.failure !== undefined) return
    if (this.#read === undefined) {
      if (this.#statement?.fields.length !== 0) throw brokenProtocol('a row came before its description')
      return
    }
    try {
      this.#rows.push(this.#read(bytes, start, end))
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      this.failure = error
    }
  }

  override commandComplete(tag: string): void {
    this.#tag = tag
  }

  override emptyQuery(): void {
    this.#tag = ''
  }

  override portalSuspended(): void {
    if (this.#shape.limit === 0) throw brokenProtocol('a portal without a limit was suspended')
  }
}
