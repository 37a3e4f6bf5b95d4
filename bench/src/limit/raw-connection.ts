import { argumentAt, firstColumnAt, parse, request, type } from './prepared-bytes.ts'
import { openRawSocket, type RawSocket } from './raw-socket.ts'

/** Who asks, and takes the answers. */
export interface Asker {
  /** The number to ask for next; 0: no more. */
  next(): number
  /** The first column of the answer to what was asked at `begun`. */
  answered(asked: number, got: number, begun: number, now: number): void
}

const slabBytes = 1 << 20

/**
 * A connection that sends prepared bytes and looks at the answers, with no promise, no object and no callback for
 * each request. What is asked because of one chunk of answers goes out in one write.
 */
export class RawConnection {
  readonly #socket: RawSocket
  readonly #depth: number
  /** What was asked and when, as rings: the first of them is answered next. */
  readonly #asked: Float64Array
  readonly #begun: Float64Array
  #first = 0
  #waiting = 0
  /** The first column of the last row. */
  #got = 0
  /** Bytes on their way out: from `#sent` to `#filled`. Those before belong to the socket still. */
  #slab = Buffer.allocUnsafe(slabBytes)
  #sent = 0
  #filled = 0

  private constructor(socket: RawSocket, depth: number) {
    this.#socket = socket
    this.#depth = depth
    this.#asked = new Float64Array(depth)
    this.#begun = new Float64Array(depth)
  }

  /** A connection on which the statement is prepared, for `depth` requests at once. */
  static async open(dsn: string, sql: string, depth: number): Promise<RawConnection> {
    const socket = await openRawSocket(dsn)
    await new Promise<void>((resolve, reject) => {
      socket.take = readMessages((chunk, at) => {
        if (chunk[at] === type.error) reject(new Error(chunk.toString('latin1', at)))
        if (chunk[at] === type.ready) resolve()
      })
      socket.write(parse(sql))
    })
    return new RawConnection(socket, depth)
  }

  /** Keeps as many requests under way as it is deep, until the asker has no more. */
  run(asker: Asker): Promise<void> {
    return new Promise((resolve, reject) => {
      const read = readMessages((chunk, at) => {
        switch (chunk[at]) {
          case type.dataRow:
            this.#got = chunk.readUInt32BE(at + firstColumnAt)
            break
          case type.ready:
            this.#answered(asker, now)
            break
          case type.error:
            throw new Error(chunk.toString('latin1', at))
        }
      })
      let now = performance.now()
      this.#socket.take = (chunk) => {
        now = performance.now()
        try {
          read(chunk)
        } catch (error) {
          reject(error)
        }
        this.#flush()
        if (this.#waiting === 0) resolve()
      }
      for (let caller = 0; caller < this.#depth; caller++) this.#ask(asker, now)
      this.#flush()
    })
  }

  close(): Promise<void> {
    return this.#socket.close()
  }

  #answered(asker: Asker, now: number): void {
    const at = this.#first
    this.#first = (at + 1) % this.#depth
    this.#waiting--
    asker.answered(this.#asked[at]!, this.#got, this.#begun[at]!, now)
    this.#got = 0
    this.#ask(asker, now)
  }

  #ask(asker: Asker, now: number): void {
    const number = asker.next()
    if (number === 0) return
    const at = (this.#first + this.#waiting++) % this.#depth
    this.#asked[at] = number
    this.#begun[at] = now
    if (this.#filled + request.length > slabBytes) this.#renew()
    request.copy(this.#slab, this.#filled)
    this.#slab.writeUInt32BE(number, this.#filled + argumentAt)
    this.#filled += request.length
  }

  #flush(): void {
    if (this.#filled === this.#sent) return
    this.#socket.write(this.#slab.subarray(this.#sent, this.#filled))
    this.#sent = this.#filled
  }

  #renew(): void {
    this.#flush()
    this.#slab = Buffer.allocUnsafe(slabBytes)
    this.#sent = 0
    this.#filled = 0
  }
}

/** Calls `see` with each whole message; what is cut off waits for the next chunk. */
function readMessages(see: (chunk: Buffer, at: number) => void): (chunk: Buffer) => void {
  let rest: Buffer | undefined
  return (arrived) => {
    const chunk = rest === undefined ? arrived : Buffer.concat([rest, arrived])
    let at = 0
    while (at + 5 <= chunk.length) {
      const end = at + 1 + chunk.readUInt32BE(at + 1)
      if (end > chunk.length) break
      see(chunk, at)
      at = end
    }
    rest = at < chunk.length ? Buffer.from(chunk.subarray(at)) : undefined
  }
}
