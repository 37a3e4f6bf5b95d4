import type { Outcome, PostgresError, RockpoolError } from '../../errors.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
import { writeExecute, writeSync } from '../../wire/frontend.ts'
import { OutBuffer } from '../../wire/out-buffer.ts'
import type { DataFlow, Loss } from '../../wire/request.ts'
import type { Statement } from '../statements/statement.ts'
import type { StatementStore } from '../statements/statement-cache.ts'
import { BindBatch, withIndex } from './bind-batch.ts'
import type { GiveUpReason } from './command.ts'
import { PreparedCommand, type PreparedCommandHost } from './prepared-command.ts'

/** There is none of this name. */
const noPortal = 'rockpool_gave_up'

/**
 * One statement, run once for each list of arguments under one Sync: outside a transaction they are one
 * implicit transaction ("Pipelining", protocol-flow), so all of them take effect or none does. Nothing is sent before
 * every list is known to fit. More than a few are checked and then sent in slices, while nothing else is written.
 */
export class ManyCommand extends PreparedCommand<void> {
  readonly #argLists: readonly (readonly unknown[])[]
  #batch: BindBatch | undefined
  #flow: DataFlow | undefined
  #isSending = false
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
    this.#batch = new BindBatch(statement, this.#argLists)
    this.#flow = undefined
    this.#isSending = false
    if (this.#argLists.length > 0) this.#batch.check()
  }

  protected override writeExecution(out: OutBuffer): void {
    this.#completed = 0
    if (this.isStreamed) return
    for (const bytes of this.#batch!.kept) out.bytes(bytes)
    this.#isSending = true
  }

  protected override get isStreamed(): boolean {
    return !this.#batch!.isChecked
  }

  protected override get isExecuting(): boolean {
    return super.isExecuting && this.#isSending
  }

  override stream(flow: DataFlow): void {
    if (!super.isExecuting) return
    this.#flow = flow
    void this.#stream(this.#batch!, flow)
  }

  async #stream(batch: BindBatch, flow: DataFlow): Promise<void> {
    const isStreaming = () => this.paused && this.#flow === flow && this.#batch === batch
    const goesOn = async () => {
      await flow.whenWritable()
      return isStreaming()
    }
    try {
      while (!batch.isChecked) {
        batch.check()
        if (!(await goesOn())) return
      }
      this.#isSending = true
      for (const bytes of batch.kept) {
        flow.send(bytes)
        if (!(await goesOn())) return
      }
      for (let out = new OutBuffer(); batch.writeNext(out); out = emptied(out, flow)) {
        // The arguments' own code may have ended it.
        if (!isStreaming()) return
        flow.send(out.written)
        if (!(await goesOn())) return
      }
    } catch (error) {
      if (!isStreaming()) return
      if (this.#isSending) this.failure = Object.assign(error as RockpoolError, { outcome: 'failed' })
      else this.misfitted(error as RockpoolError)
    }
    this.#end(flow)
  }

  /** Ends what is being sent, for nothing to take effect where it is not all. */
  #end(flow: DataFlow): void {
    this.paused = false
    this.#flow = undefined
    if (this.#isSending && (this.failure !== undefined || !this.isWanted)) writeExecute(flow.out, 0, noPortal)
    writeSync(flow.out)
    flow.flushSoon()
  }

  /** The server may wait for what comes next, and heeds no cancel then: it is told to fail. */
  override giveUp(reason: GiveUpReason, isHead: boolean): void {
    super.giveUp(reason, isHead)
    if (this.paused && this.#flow !== undefined && !this.isWanted) this.#end(this.#flow)
  }

  /** An error has come: the Sync that follows is not for more to be written. */
  override resume(out: OutBuffer): void {
    this.#flow = undefined
    super.resume(out)
  }

  override skipped(): void {
    this.#flow = undefined
    super.skipped()
  }

  override lost(loss: Loss, outcome: Outcome): void {
    const isChecking = this.#flow !== undefined && !this.#isSending
    this.paused = false
    super.lost(loss, isChecking ? 'not-sent' : outcome)
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

/** Where the next bytes go: where the last were, once the system has those. */
function emptied(sent: OutBuffer, flow: DataFlow): OutBuffer {
  if (!flow.isTaken) return new OutBuffer()
  sent.truncate(0)
  return sent
}
