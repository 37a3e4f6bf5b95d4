import { DataError } from '../../errors.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
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
  readonly #rows: unknown[] = []
  /** Where it stopped: nowhere yet, at its limit, at the end. */
  #stopped: 'no' | 'limit' | 'end' = 'no'

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
    if (this.#stopped === 'no') throw brokenProtocol('a statement did not end')
    return { value: { rows: this.#rows, isComplete: this.#stopped === 'end' } }
  }

  override dataRow(bytes: Buffer, start: number, end: number): void {
    if (this.failure !== undefined) return
    try {
      this.#rows.push(this.#read(bytes, start, end))
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      this.failure = error
    }
  }

  override commandComplete(tag: string): void {
    this.host.commandEnded(tag)
    this.#stopped = 'end'
  }

  override emptyQuery(): void {
    this.#stopped = 'end'
  }

  override portalSuspended(): void {
    this.#stopped = 'limit'
  }
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
