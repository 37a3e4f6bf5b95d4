import { brokenProtocol } from '../frame-reader.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { type Codec, checkSize, type Decode } from './codec.ts'
import { encodeElement, type FlatArray, mostDimensions } from './flat-array.ts'

/* "Array Input and Output Syntax" (arrays-io): {a,"b c",NULL}, before it [2:3]= where a lower bound is not 1. */
const open = 0x7b
const close = 0x7d
const quote = 0x22
const backslash = 0x5c
const bracket = 0x5b
const equals = 0x3d

/** Reads one array literal where it lies, element by element, without a string of the whole. */
class LiteralReader {
  #at: number
  readonly #end: number
  readonly #bytes: Buffer
  readonly #decode: Decode
  readonly #delimiter: number

  constructor(decode: Decode, delimiter: number, bytes: Buffer, start: number, end: number) {
    this.#decode = decode
    this.#delimiter = delimiter
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  read(): unknown[] {
    if (this.#byte() === bracket) while (this.#byte() !== equals) this.#at++
    else this.#at--
    this.#at++
    const array = this.#array(1)
    if (this.#at !== this.#end) throw brokenProtocol('an array has text after its end')
    return array
  }

  #byte(): number {
    if (this.#at >= this.#end) throw brokenProtocol('an array ends before its closing brace')
    return this.#bytes[this.#at]!
  }

  #array(depth: number): unknown[] {
    if (this.#byte() !== open || depth > mostDimensions) throw brokenProtocol('an array is no array literal')
    this.#at++
    const array: unknown[] = []
    if (this.#byte() === close) {
      this.#at++
      return array
    }
    for (;;) {
      const first = this.#byte()
      array.push(first === open ? this.#array(depth + 1) : first === quote ? this.#quoted() : this.#bare())
      const next = this.#byte()
      this.#at++
      if (next === close) return array
      if (next !== this.#delimiter) throw brokenProtocol('an array is no array literal')
    }
  }

  #bare(): unknown {
    const start = this.#at
    for (let byte = this.#byte(); byte !== this.#delimiter && byte !== close; byte = this.#byte()) this.#at++
    if (this.#at - start === 4 && this.#bytes.toString('latin1', start, this.#at) === 'NULL') return null
    return this.#decode(this.#bytes, start, this.#at)
  }

  #quoted(): unknown {
    this.#at++
    const start = this.#at
    let escapes = 0
    for (let byte = this.#byte(); byte !== quote; byte = this.#byte()) {
      if (byte === backslash) {
        escapes++
        this.#at++
      }
      this.#at++
    }
    const end = this.#at
    this.#at++
    if (escapes === 0) return this.#decode(this.#bytes, start, end)
    const plain = Buffer.allocUnsafe(end - start - escapes)
    for (let from = start, to = 0; from < end; from++, to++) {
      if (this.#bytes[from] === backslash) from++
      plain[to] = this.#bytes[from]!
    }
    return this.#decode(plain, 0, plain.length)
  }
}

export function decodeArrayText(
  decode: Decode,
  delimiter: number,
  bytes: Buffer,
  start: number,
  end: number,
): unknown[] {
  return new LiteralReader(decode, delimiter, bytes, start, end).read()
}

/** Every element that is not NULL is quoted: no text can be mistaken for NULL, a brace or a delimiter. */
export function encodeArrayText(element: Codec, delimiter: number, flat: FlatArray, out: OutBuffer): void {
  const { lengths, elements } = flat
  const start = out.position
  let index = 0
  const writeDimension = (depth: number): void => {
    out.int8(open)
    const length = lengths[depth] ?? 0
    for (let i = 0; i < length; i++) {
      if (i > 0) out.int8(delimiter)
      if (depth < lengths.length - 1) writeDimension(depth + 1)
      else {
        writeElement(element, flat, index, out)
        checkSize(out.position - start)
        index++
      }
    }
    out.int8(close)
  }
  if (elements.length === 0) out.text('{}')
  else writeDimension(0)
}

function writeElement(element: Codec, flat: FlatArray, index: number, out: OutBuffer): void {
  if (flat.elements[index] === null) {
    out.text('NULL')
    return
  }
  out.int8(quote)
  const start = out.position
  encodeElement(element, flat, index, out)
  escapeFrom(out, start)
  out.int8(quote)
}

/** Puts a backslash before each quote and backslash from `start` on, working backwards in place. */
export function escapeFrom(out: OutBuffer, start: number): void {
  let escapes = 0
  for (let at = start; at < out.position; at++) {
    const byte = out.buffer[at]
    if (byte === quote || byte === backslash) escapes++
  }
  out.ensure(escapes)
  let from = out.position
  let to = from + escapes
  out.position = to
  while (to > from) {
    const byte = out.buffer[--from]!
    out.buffer[--to] = byte
    if (byte === quote || byte === backslash) out.buffer[--to] = backslash
  }
}
