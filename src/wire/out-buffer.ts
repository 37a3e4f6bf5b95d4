/** What is allocated at once, for the messages of many flushes. */
const slab = 8_192
/** What is left of a slab is of use from so many bytes on. */
const leastRoom = 1_024
/** How many begun slabs are kept: as many as are often written to in one turn. */
const mostBegun = 16
const begun: Buffer[] = []
const none: Buffer = Buffer.alloc(0)

/** Up to so many bytes are copied faster one by one than by a call of the runtime. */
const short = 32

/**
 * The bytes that wait for the next flush: a growing buffer with a write position.
 *
 * Writers call `ensure` once for what they are about to write and then write without further checks. A message
 * that turns out to be impossible half-way (a value that cannot be encoded) is undone with `truncate`.
 *
 * Between a flush and the next write it holds no memory: what is left of a slab goes to whoever writes next, so that
 * idle connections have none.
 */
export class OutBuffer {
  buffer: Buffer
  position = 0

  /** @param size has a buffer of its own from the start, of so many bytes */
  constructor(size?: number) {
    this.buffer = size === undefined ? none : Buffer.allocUnsafeSlow(size)
  }

  /** Makes room for `bytes` more. */
  ensure(bytes: number): void {
    const needed = this.position + bytes
    if (needed > this.buffer.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    if (this.buffer === none) this.buffer = begun.pop() ?? Buffer.allocUnsafeSlow(slab)
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.position)
    this.buffer = grown
  }

  int8(value: number): void {
    this.ensure(1)
    this.buffer[this.position++] = value
  }

  int16(value: number): void {
    this.ensure(2)
    const { buffer, position } = this
    buffer[position] = value >> 8
    buffer[position + 1] = value
    this.position = position + 2
  }

  int32(value: number): void {
    this.ensure(4)
    this.int32At(this.position, value)
    this.position += 4
  }

  /** Writes over what lies at `at`. As plain stores it costs less than a method of Buffer, which checks. */
  int32At(at: number, value: number): void {
    const { buffer } = this
    buffer[at] = value >> 24
    buffer[at + 1] = value >> 16
    buffer[at + 2] = value >> 8
    buffer[at + 3] = value
  }

  bytes(value: Uint8Array): void {
    const { length } = value
    this.ensure(length)
    if (length > short) this.buffer.set(value, this.position)
    else for (let i = 0; i < length; i++) this.buffer[this.position + i] = value[i]!
    this.position += length
  }

  /** UTF-8, without a terminator. Returns the number of bytes. */
  text(value: string): number {
    if (value === '') return 0
    this.ensure(value.length * 3)
    const written = this.buffer.write(value, this.position)
    this.position += written
    return written
  }

  /** UTF-8 with the terminating zero of the protocol's String type. The caller has refused NUL in `value`. */
  cstring(value: string): void {
    this.text(value)
    this.int8(0)
  }

  /** Starts a message: its type, and room for its length. Returns what `endMessage` needs. */
  beginMessage(type: number): number {
    this.ensure(5)
    this.buffer[this.position] = type
    this.position += 5
    return this.position - 4
  }

  /** Fills in the length of the message that `beginMessage` started; the length counts itself, not the type. */
  endMessage(lengthAt: number): void {
    this.int32At(lengthAt, this.position - lengthAt)
  }

  truncate(position: number): void {
    this.position = position
  }

  /** What was written, where it lies. */
  get written(): Buffer {
    return this.buffer.subarray(0, this.position)
  }

  /** Hands over what was written and starts anew. The returned bytes are never written again. */
  take(): Buffer {
    const { buffer, position } = this
    const isSlab = buffer.buffer.byteLength === slab
    if (isSlab && buffer.length - position >= leastRoom && begun.length < mostBegun) {
      begun.push(buffer.subarray(position))
    }
    this.buffer = none
    this.position = 0
    return buffer.subarray(0, position)
  }
}
