import { brokenProtocol } from '../frame-reader.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { escapeFrom } from './array-text.ts'
import { type Codec, checkSize, type Decode, withinPart } from './codec.ts'

/* "Composite Type Input and Output Syntax" (rowtypes): (a,"b c",), where nothing is NULL and "" the empty string. */
const open = 0x28
const close = 0x29
const comma = 0x2c
const quote = 0x22
const backslash = 0x5c

/** What is needed to read and write an attribute's text. */
export interface TextAttribute {
  readonly name: string
  readonly codec: Codec
}

/** The values in the attributes' order; `undefined` where the text has another number of them. */
export function decodeCompositeText(
  attributes: readonly TextAttribute[],
  bytes: Buffer,
  start: number,
  end: number,
): unknown[] | undefined {
  if (end - start < 2 || bytes[start] !== open || bytes[end - 1] !== close) {
    throw brokenProtocol('a composite is no composite literal')
  }
  if (attributes.length === 0) return end - start === 2 ? [] : undefined
  const values: unknown[] = []
  let at = start + 1
  for (;;) {
    const attribute = attributes[values.length]
    if (attribute === undefined) return undefined
    const next = bytes[at] === quote ? endOfQuoted(bytes, at, end - 1) : endOfBare(bytes, at, end - 1)
    try {
      values.push(decodePart(attribute.codec.decode, bytes, at, next))
    } catch (error) {
      throw withinPart(error, attribute.name)
    }
    if (next === end - 1) return values.length === attributes.length ? values : undefined
    if (bytes[next] !== comma) throw brokenProtocol('a composite is no composite literal')
    at = next + 1
  }
}

/** Behind the closing quote. */
function endOfQuoted(bytes: Buffer, start: number, end: number): number {
  let at = start + 1
  for (; at < end; at++) {
    const byte = bytes[at]
    if (byte === backslash) at++
    else if (byte === quote) {
      if (bytes[at + 1] !== quote) return at + 1
      at++
    }
  }
  throw brokenProtocol('a composite ends within quotes')
}

function endOfBare(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== comma) at++
  return at
}

function decodePart(decode: Decode, bytes: Buffer, start: number, end: number): unknown {
  if (start === end) return null
  if (bytes[start] !== quote) return decode(bytes, start, end)
  const plain = Buffer.allocUnsafe(end - start - 2)
  let length = 0
  for (let at = start + 1; at < end - 1; at++) {
    // A quote within is there twice, a backslash before whatever it protects.
    if (bytes[at] === quote || bytes[at] === backslash) at++
    plain[length++] = bytes[at]!
  }
  return decode(plain, 0, length)
}

/** Every value that is not NULL is quoted: no text can be mistaken for a comma, a parenthesis or nothing. */
export function encodeCompositeText(
  attributes: readonly TextAttribute[],
  values: readonly unknown[],
  out: OutBuffer,
): void {
  const start = out.position
  out.int8(open)
  for (const [i, { codec, name }] of attributes.entries()) {
    if (i > 0) out.int8(comma)
    if (values[i] === null) continue
    out.int8(quote)
    const from = out.position
    try {
      codec.encode(values[i], out)
    } catch (error) {
      throw withinPart(error, name)
    }
    escapeFrom(out, from)
    out.int8(quote)
    checkSize(out.position - start)
  }
  out.int8(close)
}
