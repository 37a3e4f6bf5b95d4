import { brokenProtocol } from '../../wire/frame-reader.ts'
import { writeQuery } from '../../wire/frontend.ts'
import { BodyReader, type TransactionStatus } from '../../wire/messages.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { Continuation } from '../../wire/request.ts'
import { Command, type CommandHost } from './command.ts'

/**
 * One or more statements without arguments through the simple protocol ("Simple Query", protocol-flow). They may
 * begin or end a transaction or wait for COPY data, so nothing is written behind them before they are over.
 */
export abstract class SimpleQuery<T> extends Command<T> {
  protected readonly copyNeedsSync = false
  readonly #sql: string | (() => string)
  #hasEnded = false

  /** A function is asked when it is written. */
  constructor(host: CommandHost, sql: string | (() => string)) {
    super(host)
    this.#sql = sql
    this.alone = true
  }

  override get text(): string | undefined {
    return typeof this.#sql === 'string' ? this.#sql : undefined
  }

  override get isFragile(): boolean {
    return true
  }

  protected override compose(out: OutBuffer): void {
    writeQuery(out, typeof this.#sql === 'string' ? this.#sql : this.#sql())
  }

  override ready(status: TransactionStatus): Continuation {
    if (this.failure === undefined && !this.#hasEnded) throw brokenProtocol('a statement did not end')
    return super.ready(status)
  }

  override rowDescription(_body: BodyReader): void {}

  override dataRow(_bytes: Buffer, _start: number, _end: number): void {}

  override commandComplete(tag: string): void {
    this.#hasEnded = true
    this.host.commandEnded(tag)
  }

  override emptyQuery(): void {
    this.#hasEnded = true
  }
}

/** Resolves with the last command's tag; rows are not read. */
export class SimpleCommand extends SimpleQuery<string> {
  #tag = ''

  protected override complete(): { value: string } {
    return { value: this.#tag }
  }

  override commandComplete(tag: string): void {
    super.commandComplete(tag)
    this.#tag = tag
  }
}

/** Resolves with the first column of the last statement that returns rows, as text; NULL is not told from ''. */
export class SimpleColumn extends SimpleQuery<string[]> {
  #values: string[] = []

  protected override complete(): { value: string[] } {
    return { value: this.#values }
  }

  override rowDescription(_body: BodyReader): void {
    this.#values = []
  }

  override dataRow(bytes: Buffer, start: number, end: number): void {
    const body = new BodyReader(bytes, start, end)
    body.uint16()
    const length = body.int32()
    this.#values.push(length < 0 ? '' : body.bytes(length).toString())
  }
}
