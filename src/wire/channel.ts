import type { Socket } from 'node:net'
import { ConnectionLostError } from '../errors.ts'
import { FrameReader, type FrameSink } from './frame-reader.ts'
import { Frontend } from './messages.ts'
import { OutBuffer } from './out-buffer.ts'
import type { DataFlow } from './request.ts'

/** What a channel tells its owner. */
export interface ChannelOwner {
  /** One whole message; the bytes are only valid during the call. What it throws closes the channel. */
  message: FrameSink
  /** What is in `out` is about to be written; more may be added. */
  flushing(): void
  /**
   * Once, when no message comes any more: the channel broke, or the socket is closed. `undefined`: it was closed by
   * `end()`.
   */
  closed(reason: ConnectionLostError | undefined): void
}

/** With so many bytes read, at once or over time, everything else has its turn before more are. */
const readInTurn = 262_144

/**
 * A started socket as a stream of messages: what is written during one turn of the event loop goes out in one
 * write, and nothing that the other side sends is thrown out of a socket handler.
 */
export class Channel implements DataFlow {
  readonly out = new OutBuffer()
  readonly #socket: Socket
  readonly #owner: ChannelOwner
  readonly #frames: FrameReader
  readonly #flushInTick = () => {
    this.#isTickPending = false
    this.flush()
  }
  readonly #flushInTurn = () => {
    this.#isTurnPending = false
    this.flush()
  }
  #isTickPending = false
  #isTurnPending = false
  /** Bytes read since the last time that others had their turn. */
  #read = 0
  #isPaused = false
  #letsOthers = false
  #state: 'open' | 'ending' | 'broken' | 'closed' = 'open'
  #reason: ConnectionLostError | undefined
  readonly #whenClosed: Promise<void>

  /** Takes over `socket`, whose first unread bytes are `rest`. */
  constructor(socket: Socket, rest: Buffer, owner: ChannelOwner) {
    this.#socket = socket
    this.#owner = owner
    this.#frames = new FrameReader(owner.message)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (cause) => this.#break(connectionLost(cause)))
    this.#whenClosed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#report()
        resolve()
      })
    })
    if (socket.destroyed) this.#break(connectionLost())
    if (rest.length > 0) process.nextTick(() => this.#receive(rest))
    socket.resume()
  }

  /** Resolves when the socket is closed. */
  get whenClosed(): Promise<void> {
    return this.#whenClosed
  }

  /** Writes what is in `out` when what goes on now is over, before the turn's next event. */
  flushSoon(): void {
    if (this.#isTickPending) return
    this.#isTickPending = true
    process.nextTick(this.#flushInTick)
  }

  /** Writes it when every event of this turn was heard, unless something else is flushed before. */
  flushLater(): void {
    if (this.#isTurnPending) return
    this.#isTurnPending = true
    setImmediate(this.#flushInTurn)
  }

  flush(): void {
    if (this.out.position === 0) return
    this.#owner.flushing()
    if (this.#state === 'open') this.#socket.write(this.out.take())
    else this.out.truncate(0)
  }

  send(bytes: Buffer): void {
    this.flush()
    if (this.#state === 'open') this.#socket.write(bytes)
  }

  get isTaken(): boolean {
    return this.#socket.writableLength === 0
  }

  whenWritable(): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve) => {
      const writable = () => {
        socket.off('drain', writable)
        socket.off('close', writable)
        setImmediate(resolve)
      }
      if (socket.writableNeedDrain && !socket.destroyed) {
        socket.once('drain', writable)
        socket.once('close', writable)
      } else writable()
    })
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#letsOthers) this.#socket.resume()
  }

  /** Whether the open socket keeps the process alive; it does from the start. */
  keepProcess(keeps: boolean): void {
    if (keeps) this.#socket.ref()
    else this.#socket.unref()
  }

  /** Says goodbye ("Termination", protocol-flow) and lets the server close. */
  end(): void {
    if (this.#state !== 'open') return
    this.out.endMessage(this.out.beginMessage(Frontend.Terminate))
    this.flush()
    this.#state = 'ending'
    this.#socket.end()
  }

  /** Closes at once; `reason` is what the owner hears. */
  destroy(reason: ConnectionLostError): void {
    this.#break(reason)
  }

  #receive(chunk: Buffer): void {
    if (this.#state === 'broken' || this.#state === 'closed') return
    try {
      this.#frames.feed(chunk)
    } catch (error) {
      this.#break(error instanceof ConnectionLostError ? error : connectionLost(error))
    }
    this.#read += chunk.length
    if (this.#read >= readInTurn) this.#letOthers()
  }

  /** A socket with much to read is otherwise read on for tens of reads, and every socket in its turn. */
  #letOthers(): void {
    this.#read = 0
    this.#letsOthers = true
    this.#socket.pause()
    setImmediate(() => {
      this.#letsOthers = false
      if (!this.#isPaused) this.#socket.resume()
    })
  }

  /** The owner hears of it before anybody who awaits an answer goes on: what is broken is not to be handed on. */
  #break(reason: ConnectionLostError): void {
    if (this.#state === 'closed') return
    if (this.#state === 'open') this.#reason = reason
    this.#state = 'broken'
    this.#frames.stop()
    this.#socket.destroy()
    process.nextTick(() => this.#report())
  }

  #report(): void {
    if (this.#state === 'closed') return
    const ended = this.#state === 'ending' || (this.#state === 'broken' && this.#reason === undefined)
    this.#state = 'closed'
    this.#owner.closed(ended ? undefined : (this.#reason ?? connectionLost()))
  }
}

function connectionLost(cause?: unknown): ConnectionLostError {
  const why = cause instanceof Error ? `: ${cause.message}` : ': the server closed it'
  return new ConnectionLostError(`the connection was lost${why}`, cause === undefined ? {} : { cause })
}
