import { brokenProtocol } from '../frame-reader.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { type Codec, checkSize, type Decode } from './codec.ts'
import { encodeElement, type FlatArray, mostDimensions } from './flat-array.ts'

/*
 * array_send and array_recv in PostgreSQL's arrayfuncs.c: Int32 dimensions, Int32 "has NULLs", Int32 element type;
 * per dimension Int32 length and Int32 lower bound; per element Int32 length (-1: NULL) and bytes.
 */
const headerSize = 12
const dimensionSize = 8

/** Where the next element lies, and where the array's bytes end. */
interface Cursor {
  at: number
  readonly end: number
}

export function decodeArrayBytes(decode: Decode, bytes: Buffer, start: number, end: number): unknown[] {
  if (end - start < headerSize) throw brokenProtocol('an array ends before its header does')
  const dimensions = bytes.readInt32BE(start)
  const first = start + headerSize + dimensions * dimensionSize
  if (dimensions < 0 || dimensions > mostDimensions || first > end) {
    throw brokenProtocol(`an array of ${end - start} bytes has ${dimensions} dimensions`)
  }
  const lengths: number[] = []
  let count = dimensions === 0 ? 0 : 1
  for (let at = start + headerSize; at < first; at += dimensionSize) {
    const length = bytes.readInt32BE(at)
    if (length < 0) throw brokenProtocol(`an array has the length ${length}`)
    lengths.push(length)
    count *= length
  }
  // Every element has four bytes at least: a claimed length alone allocates nothing.
  if (count > (end - first) / 4)
    throw brokenProtocol(`an array of ${end - start} bytes has ${count} elements`)
  const cursor = { at: first, end }
  const array = count === 0 ? [] : readDimension(decode, bytes, cursor, lengths, 0)
  if (cursor.at !== end) throw brokenProtocol('an array has bytes after its last element')
  return array
}

function readDimension(
  decode: Decode,
  bytes: Buffer,
  cursor: Cursor,
  lengths: readonly number[],
  depth: number,
): unknown[] {
  const array = new Array<unknown>(lengths[depth]!)
  const innermost = depth === lengths.length - 1
  for (let i = 0; i < array.length; i++) {
    array[i] = innermost
      ? readElement(decode, bytes, cursor)
      : readDimension(decode, bytes, cursor, lengths, depth + 1)
  }
  return array
}

function readElement(decode: Decode, bytes: Buffer, cursor: Cursor): unknown {
  const start = cursor.at + 4
  if (start > cursor.end) throw brokenProtocol('an array ends before its elements do')
  const length = bytes.readInt32BE(cursor.at)
  cursor.at = start
  if (length === -1) return null
  if (length < 0 || length > cursor.end - start) {
    throw brokenProtocol(`an element of an array has the length ${length}`)
  }
  cursor.at = start + length
  return decode(bytes, start, cursor.at)
}

export function encodeArrayBytes(element: Codec, elementOid: number, flat: FlatArray, out: OutBuffer): void {
  const { lengths, elements } = flat
  const start = out.position
  out.int32(lengths.length)
  out.int32(elements.includes(null) ? 1 : 0)
  out.int32(elementOid)
  for (const length of lengths) {
    out.int32(length)
    out.int32(1)
  }
  for (let i = 0; i < elements.length; i++) {
    out.int32(-1)
    if (elements[i] === null) continue
    const at = out.position
    encodeElement(element, flat, i, out)
    out.buffer.writeInt32BE(out.position - at, at - 4)
    checkSize(out.position - start)
  }
}
