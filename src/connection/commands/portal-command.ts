import { DataError } from '../../errors.ts'
import { writeClosePortal, writeExecute, writeSync } from '../../wire/frontend.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { RowReader } from '../../wire/row-reader.ts'
import { Command, type CommandHost } from './command.ts'

/** Rows of a portal, and whether they are its last. */
export interface Batch {
  rows: unknown[]
  isComplete: boolean
}

/** The next rows of a portal that is open ("Execute", protocol-flow-ext-query). */
export class FetchPortalCommand extends Command<Batch> {
  protected readonly copyNeedsSync = true
  readonly #portal: string
  readonly #limit: number
  readonly #read: RowReader
  readonly #batch: Batch = { rows: [], isComplete: false }

  constructor(host: CommandHost, portal: string, limit: number, read: RowReader) {
    super(host)
    this.#portal = portal
    this.#limit = limit
    this.#read = read
  }

  protected override compose(out: OutBuffer): void {
    writeExecute(out, this.#limit, this.#portal)
    writeSync(out)
  }

  protected override complete(): { value: Batch } {
    return { value: this.#batch }
  }

  override dataRow(bytes: Buffer, start: number, end: number): void {
    if (this.failure !== undefined) return
    try {
      this.#batch.rows.push(this.#read(bytes, start, end))
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      this.failure = error
    }
  }

  override commandComplete(tag: string): void {
    this.host.commandEnded(tag)
    this.#batch.isComplete = true
  }

  override emptyQuery(): void {
    this.#batch.isComplete = true
  }

  override portalSuspended(): void {}
}

/** Closes a portal; one that is gone already is no error. */
export class ClosePortalCommand extends Command<void> {
  protected readonly copyNeedsSync = true
  readonly #portal: string

  constructor(host: CommandHost, portal: string) {
    super(host)
    this.#portal = portal
  }

  protected override compose(out: OutBuffer): void {
    writeClosePortal(out, this.#portal)
    writeSync(out)
  }

  protected override complete(): { value: undefined } {
    return { value: undefined }
  }
}
