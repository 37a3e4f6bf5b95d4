import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** The server's end of a `MemorySocket`. */
export interface FarEnd {
  received(bytes: Buffer): void
  /** The client said that it has no more to send. */
  ended(): void
}

/**
 * A client's socket whose other end is in the same process: no system call, no latency, the same order every time.
 * As in a socket of the system, the end of what is read ends what is written.
 */
export class MemorySocket extends Duplex {
  readonly #far: FarEnd

  constructor(far: FarEnd) {
    super({ allowHalfOpen: false })
    this.#far = far
  }

  /** What the engine needs of a socket and a Duplex has not. */
  get asSocket(): Socket {
    return this as unknown as Socket
  }

  /** Bytes from the server. */
  deliver(bytes: Buffer): void {
    if (!this.destroyed) this.push(bytes)
  }

  /** The server closes in order. */
  finish(): void {
    if (!this.destroyed) this.push(null)
  }

  /** The server's system resets the connection. */
  reset(): void {
    this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }))
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#far.received(bytes)
    done()
  }

  override _final(done: () => void): void {
    this.#far.ended()
    done()
  }
}
