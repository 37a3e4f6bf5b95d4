import type { Readable, Writable } from 'node:stream'
import { InterfaceError, type Outcome, type PostgresError } from '../../errors.ts'
import { writeCopyDone, writeCopyFail } from '../../wire/frontend.ts'
import { Frontend, type TransactionStatus } from '../../wire/messages.ts'
import { OutBuffer } from '../../wire/out-buffer.ts'
import type { Continuation, DataFlow, Loss } from '../../wire/request.ts'
import type { GiveUpReason } from '../commands/command.ts'
import { SimpleQuery } from '../commands/simple-command.ts'
import type { CallLimits, Session } from '../session.ts'

/** Where the data of a COPY comes from: a Readable, or anything else that gives pieces of text (UTF-8) or bytes. */
export type CopySource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>

/** How the items of a source become COPY data. */
export interface CopyFormat<Item> {
  /** Writes what comes before the first item. */
  begin(out: OutBuffer): void
  /** Writes one item, or gives its bytes where they are long, to be sent in parts. Where it throws, the COPY fails. */
  write(item: Item, index: number, out: OutBuffer): Uint8Array | undefined
  /** Writes what comes after the last item. */
  end(out: OutBuffer): void
}

/** So many bytes are sent at once, and then waited for until the system has taken them. */
const enough = 65_536

/** A message's type, and its length from there on. */
const headerLength = 5
const lengthAt = 1

const ignore = () => {}

/**
 * COPY … FROM STDIN. The source is asked for its next item only while the system takes what was written.
 */
class CopyInCommand<Item> extends SimpleQuery<string> {
  /** What the source threw, or an item that could not be written: that, not the server's report of it, is to be told. */
  sourceFailure: { error: unknown } | undefined
  readonly #source: AsyncIterable<Item> | Iterable<Item>
  readonly #format: CopyFormat<Item>
  #state: 'before' | 'sending' | 'over' = 'before'
  #iterator: AsyncIterator<Item> | Iterator<Item> | undefined
  #flow: DataFlow | undefined
  /** A CopyData message that is being written. The server does not mind where the data is cut. */
  #data = new OutBuffer()
  #isFlushScheduled = false
  #tag = ''

  constructor(
    session: Session,
    sql: string,
    source: AsyncIterable<Item> | Iterable<Item>,
    format: CopyFormat<Item>,
  ) {
    super(session, sql)
    this.#source = source
    // A stream may fail before it is read, while the COPY waits for its turn; the iteration tells it then.
    if (isStream(source)) source.on('error', ignore)
    this.#format = format
  }

  override copyIn(flow: DataFlow): void {
    this.#flow = flow
    if (this.#state === 'before') void this.#send(flow)
    else this.#refuse(flow)
  }

  override commandComplete(tag: string): void {
    this.#tag = tag
    super.commandComplete(tag)
  }

  /** The server has left the COPY and drops the data that is still on its way. */
  override error(error: PostgresError): void {
    this.#stop()
    super.error(error)
  }

  override ready(status: TransactionStatus): Continuation {
    this.#stop()
    return super.ready(status)
  }

  override lost(loss: Loss, outcome: Outcome): void {
    this.#stop()
    super.lost(loss, outcome)
  }

  override refused(error: unknown): void {
    this.#stop()
    super.refused(error)
  }

  /** A server that waits for data heeds no cancel, one that works on the data reads none: it gets both. */
  override giveUp(reason: GiveUpReason, isHead: boolean): void {
    if (this.#state === 'sending') this.#refuse(this.#flow!)
    this.#stop()
    super.giveUp(reason, isHead)
  }

  protected override complete(): { value: string } {
    return { value: this.#tag }
  }

  async #send(flow: DataFlow): Promise<void> {
    this.#state = 'sending'
    try {
      const iterator = iterate(this.#source)
      this.#iterator = iterator
      const isAsync = Symbol.asyncIterator in this.#source
      this.#format.begin(this.#begun())
      for (let index = 0; ; index++) {
        const step = (isAsync ? await iterator.next() : iterator.next()) as IteratorResult<Item>
        if (this.#isOver) return
        if (step.done) break
        const long = this.#format.write(step.value, index, this.#begun())
        if (long !== undefined) await this.#deliverParts(long, flow)
        if (this.#data.position < enough && flow.isTaken) this.#flushSoon(flow)
        else await this.#deliver(flow)
        if (this.#isOver) return
      }
      this.#format.end(this.#begun())
      this.#flush(flow)
      writeCopyDone(flow.out)
      flow.flushSoon()
    } catch (error) {
      if (this.#isOver) return
      this.sourceFailure = { error }
      this.#refuse(flow)
      this.#stop()
    }
  }

  get #isOver(): boolean {
    return this.#state === 'over'
  }

  /** Where the next bytes of the data go. */
  #begun(): OutBuffer {
    if (this.#data.position === 0) this.#data.beginMessage(Frontend.CopyData)
    return this.#data
  }

  async #deliverParts(bytes: Uint8Array, flow: DataFlow): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isOver; at += enough) {
      this.#begun().bytes(bytes.subarray(at, at + enough))
      await this.#deliver(flow)
    }
  }

  /** Sends what is written, and goes on once the system has taken it, in a later turn; then its place is written anew. */
  async #deliver(flow: DataFlow): Promise<void> {
    const sent = this.#data
    this.#flush(flow)
    await flow.whenWritable()
    if (this.#data.position > 0 || !flow.isTaken) return
    sent.truncate(0)
    this.#data = sent
  }

  #flush(flow: DataFlow): void {
    const data = this.#data
    if (data.position <= headerLength || this.#isOver) return
    data.endMessage(lengthAt)
    flow.send(data.written)
    if (flow.isTaken) data.truncate(0)
    else this.#data = new OutBuffer()
  }

  #flushSoon(flow: DataFlow): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    process.nextTick(() => {
      this.#isFlushScheduled = false
      this.#flush(flow)
    })
  }

  #refuse(flow: DataFlow): void {
    writeCopyFail(flow.out, 'the client ended the COPY before its data did')
    flow.flushSoon()
  }

  /** Lets go of the source, once. One that is just being asked for an item may refuse or put it off. */
  #stop(): void {
    if (this.#isOver) return
    this.#state = 'over'
    const source = this.#source
    try {
      if (isStream(source)) source.destroy()
      else Promise.resolve(this.#iterator?.return?.()).catch(ignore)
    } catch {}
  }
}

export function isStream(given: object): given is Readable | Writable {
  return 'destroy' in given && 'on' in given
}

/**
 * Runs `sql`, a COPY … FROM STDIN, with what `source` gives. Where the source throws, the COPY fails on the server
 * and the call rejects with the source's error. The source is closed in any case; a Readable is destroyed.
 */
export async function copyIn<Item>(
  session: Session,
  sql: string,
  source: AsyncIterable<Item> | Iterable<Item>,
  format: CopyFormat<Item>,
  limits: CallLimits,
): Promise<string> {
  const command = new CopyInCommand(session, sql, source, format)
  try {
    return await session.run(command, limits)
  } catch (error) {
    throw command.sourceFailure === undefined ? error : command.sourceFailure.error
  }
}

function iterate<Item>(source: AsyncIterable<Item> | Iterable<Item>): AsyncIterator<Item> | Iterator<Item> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}

/** Text and bytes, as they are. */
export const asIs: CopyFormat<unknown> = {
  begin() {},
  write(item, index, out) {
    const bytes = typeof item === 'string' ? Buffer.from(item) : item
    if (!(bytes instanceof Uint8Array)) {
      throw new InterfaceError(
        `copyToTable(): the source gave a value of type ${typeof item} at index ${index}; ` +
          'it must give strings, Buffers or Uint8Arrays',
        { outcome: 'failed' },
      )
    }
    if (bytes.length > enough) return bytes
    out.bytes(bytes)
    return undefined
  },
  end() {},
}
