import { types } from 'node:util'
import type { OutBuffer } from '../out-buffer.ts'
import {
  binaryFormat,
  type Codec,
  checkSize,
  Refusal,
  refused,
  textFormat,
  unreadable,
  wrongSize,
} from './codec.ts'
import { decodeText, writeText } from './text.ts'

function toBool(value: unknown): boolean {
  if (typeof value !== 'boolean') throw refused('true or false', value)
  return value
}

export const bool: Codec = {
  name: 'bool',
  resultFormat: binaryFormat,
  parameterFormat: binaryFormat,
  decode(bytes, start, end) {
    if (end - start !== 1) throw wrongSize('bool', end - start)
    return bytes[start] !== 0
  },
  encode: (value, out) => out.int8(toBool(value) ? 1 : 0),
  text: {
    decode(bytes, start, end) {
      const text = bytes.toString('latin1', start, end)
      if (text !== 't' && text !== 'f') throw unreadable('bool')
      return text === 't'
    },
    encode: (value, out) => out.text(toBool(value) ? 't' : 'f'),
  },
}

function toBytes(value: unknown): Uint8Array {
  if (!types.isUint8Array(value) && !types.isAnyArrayBuffer(value)) {
    throw refused('a Buffer, a Uint8Array or an ArrayBuffer', value)
  }
  return types.isUint8Array(value) ? value : new Uint8Array(value)
}

/** Both of bytea_output's styles: `hex`, `\x` before it, and `escape`: octal digits for some bytes, two backslashes for one. */
function bytesFromText(bytes: Buffer, start: number, end: number): Buffer {
  const text = bytes.toString('latin1', start, end)
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex')
  const plain = text.replace(/\\(\\|[0-3][0-7]{2})/g, (_, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  )
  return Buffer.from(plain, 'latin1')
}

/** Copied: the bytes of the message are only there during the call. */
export const bytea: Codec = {
  name: 'bytea',
  resultFormat: binaryFormat,
  parameterFormat: binaryFormat,
  decode: (bytes, start, end) => Buffer.from(bytes.subarray(start, end)),
  encode(value, out) {
    const own = toBytes(value)
    checkSize(own.byteLength)
    out.bytes(own)
  },
  text: {
    decode: bytesFromText,
    encode(value, out) {
      const own = toBytes(value)
      checkSize(2 + 2 * own.byteLength)
      writeText(`\\x${Buffer.from(own.buffer, own.byteOffset, own.byteLength).toString('hex')}`, out)
    },
  },
}

const digitCodes = Buffer.from('0123456789abcdef')
/** Where each byte's two digits go in a UUID's 36 characters. */
const digitPlaces = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const uuidText = Buffer.alloc(36, '-')

function encodeUuid(value: unknown, out: OutBuffer): void {
  if (typeof value !== 'string') throw refused('a UUID as a string', value)
  writeText(value, out)
}

const brace = 0x7b
const closingBrace = 0x7d
const hyphen = 0x2d

/** Any spelling that the server knows: in braces, with a hyphen behind any four digits, in either case ("UUID Type"). */
function encodeUuidBytes(value: unknown, out: OutBuffer): void {
  if (typeof value !== 'string') throw refused('a UUID as a string', value)
  const braces = value.charCodeAt(0) === brace
  let at = braces ? 1 : 0
  out.ensure(16)
  const { buffer, position } = out
  for (let i = 0; i < 16; i++) {
    const byte = (hexDigit(value.charCodeAt(at)) << 4) | hexDigit(value.charCodeAt(at + 1))
    if (byte < 0) throw refused('a UUID', value)
    buffer[position + i] = byte
    at += 2
    if (i % 2 === 1 && i < 15 && value.charCodeAt(at) === hyphen) at++
  }
  if (braces && value.charCodeAt(at++) !== closingBrace) throw refused('a UUID', value)
  if (at !== value.length) throw refused('a UUID', value)
  out.position = position + 16
}

/** Below 0: none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** As a parameter sent as text, so that every spelling the server knows is taken. */
export const uuid: Codec = {
  name: 'uuid',
  resultFormat: binaryFormat,
  parameterFormat: textFormat,
  decode(bytes, start, end) {
    if (end - start !== 16) throw wrongSize('uuid', end - start)
    for (let i = 0; i < 16; i++) {
      const byte = bytes[start + i]!
      const place = digitPlaces[i]!
      uuidText[place] = digitCodes[byte >> 4]!
      uuidText[place + 1] = digitCodes[byte & 15]!
    }
    return uuidText.toString('latin1')
  },
  encode: encodeUuid,
  text: { decode: decodeText, encode: encodeUuid },
  binary: { encode: encodeUuidBytes },
}

/** The JSON text of a value. NaN and the infinities have none; within an object JSON.stringify makes them null. */
function toJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw refused('a value that JSON has', value)
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw refused('a value that JSON has', value)
  return text
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('its text is not JSON to JavaScript; select it as text (column::text)')
  }
}

const jsonText: NonNullable<Codec['text']> = {
  decode: (bytes, start, end) => fromJson(bytes.toString('utf8', start, end)),
  encode: (text, out) => writeText(text as string, out),
}

const jsonbVersion = 1

/** Any value that JSON has, a string being a JSON string: text that is JSON already goes in with $1::text::json. */
export const json: Codec = {
  name: 'json',
  resultFormat: binaryFormat,
  parameterFormat: binaryFormat,
  takesArrays: true,
  ...jsonText,
  prepare: toJson,
  text: jsonText,
}

export const jsonb: Codec = {
  name: 'jsonb',
  resultFormat: binaryFormat,
  parameterFormat: binaryFormat,
  takesArrays: true,
  decode(bytes, start, end) {
    if (end === start) throw wrongSize('jsonb', 0)
    if (bytes[start] !== jsonbVersion) {
      throw new Refusal(
        `version ${bytes[start]} of its binary form is unknown; select it as text (column::text)`,
      )
    }
    return fromJson(bytes.toString('utf8', start + 1, end))
  },
  prepare: toJson,
  encode(text, out) {
    out.int8(jsonbVersion)
    writeText(text as string, out)
  },
  text: jsonText,
}
