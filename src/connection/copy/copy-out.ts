import { finished, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { onAbort } from '../../deadline.ts'
import type { Outcome } from '../../errors.ts'
import type { TransactionStatus } from '../../wire/messages.ts'
import type { Continuation, DataFlow, Loss } from '../../wire/request.ts'
import type { GiveUpReason } from '../commands/command.ts'
import { SimpleQuery } from '../commands/simple-command.ts'
import type { CallLimits, Session } from '../session.ts'
import { Pieces } from './pieces.ts'

/**
 * Where the data of a COPY goes: a stream, which is ended, or destroyed where the call fails, as
 * `stream.pipeline` does; or a function, each of whose calls is awaited before the next.
 */
export type CopyOutput = Writable | ((chunk: Buffer) => unknown)

/** With so many bytes waiting for their consumer, the socket is read no further. */
const enough = 131_072

/** COPY … TO STDOUT. The data is kept until `chunks` hands it on; resolves with the command tag. */
class CopyOutCommand extends SimpleQuery<string> {
  readonly #kept = new Pieces()
  #flow: DataFlow | undefined
  #isOver = false
  #tag = ''
  #wake: (() => void) | undefined

  /** The data as it comes, cut anywhere. Ends when the server has ended the COPY, and early where nobody wants it. */
  async *chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.#kept.length > 0) {
        const chunk = this.#kept.take()
        this.#flow?.resume()
        yield chunk
      } else if (this.#isOver) {
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }

  override copyOut(flow: DataFlow): void {
    this.#flow = flow
  }

  override copyData(bytes: Buffer, start: number, end: number): void {
    if (this.#flow === undefined) super.copyData(bytes, start, end)
    if (this.#isOver) return
    this.#kept.add(bytes, start, end)
    if (this.#kept.length >= enough) this.#flow?.pause()
    if (this.#wake !== undefined) this.#rouse(this.#wake)
  }

  override commandComplete(tag: string): void {
    this.#tag = tag
    super.commandComplete(tag)
  }

  override ready(status: TransactionStatus): Continuation {
    this.#end(this.failure === undefined)
    return super.ready(status)
  }

  override lost(loss: Loss, outcome: Outcome): void {
    this.#end(false)
    super.lost(loss, outcome)
  }

  override refused(error: unknown): void {
    this.#end(false)
    super.refused(error)
  }

  /** What still comes is read, so that the connection gets free, and dropped. */
  override giveUp(reason: GiveUpReason, isHead: boolean): void {
    this.#end(false)
    super.giveUp(reason, isHead)
  }

  protected override complete(): { value: string } {
    return { value: this.#tag }
  }

  #end(whole: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!whole) this.#kept.clear()
    this.#flow?.resume()
    if (this.#wake !== undefined) this.#rouse(this.#wake)
  }

  /** Once: a promise that is resolved again tells the process of it, which costs more than a row. */
  #rouse(wake: () => void): void {
    this.#wake = undefined
    wake()
  }
}

/**
 * Runs `sql`, a COPY … TO STDOUT, into `output`. Once that has failed, the COPY is cancelled on the server and the
 * call rejects with its error; a failure of the COPY does not wait for `output`.
 */
export async function copyOut(
  session: Session,
  sql: string,
  output: CopyOutput,
  limits: CallLimits,
): Promise<string> {
  const stop = new AbortController()
  // AbortSignal.any would leave a trace on the caller's signal, which may be the process's own, for each call.
  const off = onAbort(limits.signal, (reason) => stop.abort(reason))
  try {
    limits.signal?.throwIfAborted()
    const command = new CopyOutCommand(session, sql)
    const answer = session.run(command, { ...limits, signal: stop.signal })
    const consumed = consume(command, answer, output, stop)
    consumed.catch((error: unknown) => stop.abort(error))
    const tag = await answer
    await consumed
    return tag
  } finally {
    off()
  }
}

async function consume(
  command: CopyOutCommand,
  answer: Promise<string>,
  output: CopyOutput,
  stop: AbortController,
): Promise<void> {
  async function* data() {
    yield* command.chunks()
    await answer
  }
  if (typeof output === 'function') {
    for await (const chunk of data()) await output(chunk)
    return
  }
  // A stream that fails while it waits for data is noticed at once, not with the next chunk.
  const stopWatching = finished(output, { readable: false }, (error) => {
    if (error) stop.abort(error)
  })
  try {
    await pipeline(data, output)
  } finally {
    stopWatching()
  }
}
