import { brokenProtocol } from '../frame-reader.ts'
import { type Decode, withinPart } from './codec.ts'

/** What is needed to read an attribute's binary form. */
export interface BinaryAttribute {
  readonly name: string
  readonly oid: number
  readonly decode: Decode
}

/*
 * record_send in PostgreSQL's rowtypes.c: Int32 attributes; per attribute Int32 type, Int32 length (-1: NULL) and
 * bytes.
 */
const headerSize = 4
const attributeSize = 8

/** The values in the attributes' order; `undefined` where the bytes are of other attributes than these. */
export function decodeCompositeBytes(
  attributes: readonly BinaryAttribute[],
  bytes: Buffer,
  start: number,
  end: number,
): unknown[] | undefined {
  if (end - start < headerSize) throw brokenProtocol('a composite has no number of attributes')
  const count = bytes.readInt32BE(start)
  if (count < 0 || count > (end - start - headerSize) / attributeSize) {
    throw brokenProtocol(`a composite of ${end - start} bytes has ${count} attributes`)
  }
  if (count !== attributes.length) return undefined
  const values = new Array<unknown>(count)
  let at = start + headerSize
  for (let i = 0; i < count; i++) {
    if (end - at < attributeSize) throw brokenProtocol('a composite ends before its attributes do')
    const attribute = attributes[i]!
    if (bytes.readUInt32BE(at) !== attribute.oid) return undefined
    const length = bytes.readInt32BE(at + 4)
    at += attributeSize
    if (length === -1) {
      values[i] = null
      continue
    }
    if (length < 0 || length > end - at) throw brokenProtocol(`an attribute has the length ${length}`)
    try {
      values[i] = attribute.decode(bytes, at, at + length)
    } catch (error) {
      throw withinPart(error, attribute.name)
    }
    at += length
  }
  if (at !== end) throw brokenProtocol('a composite has bytes after its last attribute')
  return values
}
