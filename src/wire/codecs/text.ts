import type { OutBuffer } from '../out-buffer.ts'
import { binaryFormat, type Codec, checkSize, type Format, Refusal, refused, textFormat } from './codec.ts'

const loneSurrogate = /\p{Surrogate}/u
/** Up to this length a loop over the characters beats the call into the runtime. */
const shortLength = 24
/** Up to this length three bytes a character are reserved rather than the bytes counted first. */
const modestLength = 65_536

function writeShortAscii(text: string, out: OutBuffer): boolean {
  const length = text.length
  out.ensure(length)
  const { buffer, position } = out
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0 || unit > 0x7f) return false
    buffer[position + i] = unit
  }
  out.position = position + length
  return true
}

/**
 * Appends `text` as UTF-8. NUL, which PostgreSQL's text cannot hold, and lone surrogates, which UTF-8 cannot, are
 * refused rather than replaced.
 *
 * @throws Refusal
 */
export function writeText(text: string, out: OutBuffer): void {
  const length = text.length
  if (length <= shortLength && writeShortAscii(text, out)) return
  if (text.includes('\0'))
    throw new Refusal('PostgreSQL cannot store the character NUL (\\u0000) in text; remove it')
  const room = length <= modestLength ? length * 3 : Buffer.byteLength(text)
  checkSize(room)
  out.ensure(room)
  const written = out.buffer.write(text, out.position)
  out.position += written
  if (written !== length && loneSurrogate.test(text)) {
    throw new Refusal(
      'it has half a surrogate pair, which UTF-8 cannot represent; String.prototype.toWellFormed replaces it',
    )
  }
}

export function decodeText(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end)
}

/**
 * Strings as they are; numbers, bigints and booleans as JavaScript writes them, which is how PostgreSQL reads
 * them. Whatever has more than one spelling (a Date, an object, NaN) is refused.
 */
function encodeText(value: unknown, out: OutBuffer): void {
  if (typeof value === 'string') writeText(value, out)
  else if (typeof value === 'bigint' || typeof value === 'boolean' || Number.isFinite(value)) {
    writeText(String(value), out)
  } else throw refused('a string (or a finite number, a bigint, a boolean)', value)
}

/** A type that is its text both ways. The text kinds have the same bytes in both formats. */
export function textCodec(name: string, format: Format = textFormat): Codec {
  const forms = { decode: decodeText, encode: encodeText }
  const codec = { name, resultFormat: format, parameterFormat: format, ...forms }
  return format === textFormat ? codec : { ...codec, text: forms }
}

/** The kinds of text whose binary form is the text itself. */
export const textKinds: readonly Codec[] = ['text', 'varchar', 'bpchar', 'name', 'unknown'].map((name) =>
  textCodec(name, binaryFormat),
)
