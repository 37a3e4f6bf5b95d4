/** What is allocated at once, for many rows. */
const slab = 65_536
/** Less than this of a slab is not begun anew. */
const leastRoom = 8_192
/** Up to this length a loop over the bytes beats the call into the runtime. */
const shortLength = 96

const nothing = Buffer.alloc(0)

/** Rows on their way to their consumer, put together into pieces. */
export class Pieces {
  #buffer = nothing
  #length = 0

  /** How many bytes wait to be taken. */
  get length(): number {
    return this.#length
  }

  /** Copies bytes[start, end). */
  add(bytes: Buffer, start: number, end: number): void {
    const from = this.#length
    const length = end - start
    if (length > this.#buffer.length - from) this.#grow(length)
    const buffer = this.#buffer
    if (length > shortLength) bytes.copy(buffer, from, start, end)
    else for (let i = 0; i < length; i++) buffer[from + i] = bytes[start + i]!
    this.#length = from + length
  }

  /** What was added since the last time. It is the caller's, and never written again. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length)
    const rest = this.#buffer.length - this.#length
    this.#buffer = rest < leastRoom ? nothing : this.#buffer.subarray(this.#length)
    this.#length = 0
    return taken
  }

  clear(): void {
    this.#length = 0
  }

  #grow(by: number): void {
    const waiting = this.#buffer.subarray(0, this.#length)
    const grown = Buffer.allocUnsafeSlow(Math.max(slab, 2 * waiting.length, waiting.length + by))
    grown.set(waiting)
    this.#buffer = grown
  }
}
