import { int32At } from '../big-endian.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { binaryFormat, type Codec, Refusal, refused, unreadable, wrongSize } from './codec.ts'
import { writeText } from './text.ts'

const decimal = /^[+-]?\d{1,20}$/
const two32 = 2 ** 32

/** A number, bigint or decimal string as a number from `least` to `most`, both of them safe integers. */
function toInteger(value: unknown, least: number, most: number): number {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'bigint' || (typeof value === 'string' && decimal.test(value))
        ? Number(value)
        : Number.NaN
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw refused(`an integer from ${least} to ${most}`, value)
}

/** The same integers in text. */
function integerText(name: string, least: number, most: number): NonNullable<Codec['text']> {
  return {
    decode(bytes, start, end) {
      const text = bytes.toString('latin1', start, end)
      if (!decimal.test(text)) throw unreadable(name)
      return Number(text)
    },
    encode: (value, out) => writeText(String(toInteger(value, least, most)), out),
  }
}

export const int2: Codec = {
  name: 'int2',
  resultFormat: binaryFormat,
  parameterFormat: binaryFormat,
  decode(bytes, start, end) {
    if (end - start !== 2) throw wrongSize('int2', end - start)
    return ((bytes[start]! << 24) >> 16) | bytes[start + 1]!
  },
  encode(value, out) {
    out.int16(toInteger(value, -0x8000, 0x7fff))
  },
  text: integerText('int2', -0x8000, 0x7fff),
}

export const int4: Codec = {
  name: 'int4',
  resultFormat: binaryFormat,
  parameterFormat: binaryFormat,
  decode(bytes, start, end) {
    if (end - start !== 4) throw wrongSize('int4', end - start)
    return int32At(bytes, start)
  },
  encode(value, out) {
    out.int32(toInteger(value, -0x8000_0000, 0x7fff_ffff))
  },
  text: integerText('int4', -0x8000_0000, 0x7fff_ffff),
}

/** oid, xid and cid: unsigned, 32 bits. */
export function unsignedCodec(name: string): Codec {
  return {
    name,
    resultFormat: binaryFormat,
    parameterFormat: binaryFormat,
    decode(bytes, start, end) {
      if (end - start !== 4) throw wrongSize(name, end - start)
      return int32At(bytes, start) >>> 0
    },
    encode(value, out) {
      out.int32(toInteger(value, 0, 0xffff_ffff))
    },
    text: integerText(name, 0, 0xffff_ffff),
  }
}

function toInt8(value: unknown): number | bigint {
  if (Number.isSafeInteger(value)) return value as number
  if (typeof value === 'bigint' || (typeof value === 'string' && decimal.test(value))) {
    const exact = BigInt(value)
    if (BigInt.asIntN(64, exact) === exact) return exact
  }
  throw refused('an integer from -2^63 to 2^63-1 (beyond ±(2^53-1) as a bigint or a string)', value)
}

function encodeInt8(value: unknown, out: OutBuffer): void {
  const exact = toInt8(value)
  if (typeof exact === 'number') {
    out.int32(Math.floor(exact / two32))
    out.int32(exact)
    return
  }
  out.ensure(8)
  out.position = out.buffer.writeBigInt64BE(exact, out.position)
}

function decodeBigInt(bytes: Buffer, start: number, end: number): bigint {
  if (end - start !== 8) throw wrongSize('int8', end - start)
  return bytes.readBigInt64BE(start)
}

function decodeSafe(bytes: Buffer, start: number, end: number): number {
  if (end - start !== 8) throw wrongSize('int8', end - start)
  return safe(int32At(bytes, start) * two32 + (int32At(bytes, start + 4) >>> 0))
}

function safe(value: number): number {
  if (Number.isSafeInteger(value)) return value
  throw new Refusal(
    'the value lies outside the safe integers of a JavaScript number; ' +
      `set the option types: { int8: 'bigint' } or types: { int8: 'string' }`,
  )
}

const int8Decoders = {
  number: decodeSafe,
  bigint: decodeBigInt,
  string: (bytes: Buffer, start: number, end: number) => decodeBigInt(bytes, start, end).toString(),
}

export type Int8Result = keyof typeof int8Decoders

const int8FromText: Record<Int8Result, (text: string) => unknown> = {
  number: (text) => safe(Number(text)),
  bigint: BigInt,
  string: (text) => text,
}

export function int8Codec(result: Int8Result): Codec {
  return {
    name: 'int8',
    resultFormat: binaryFormat,
    parameterFormat: binaryFormat,
    decode: int8Decoders[result],
    encode: encodeInt8,
    text: {
      decode(bytes, start, end) {
        const text = bytes.toString('latin1', start, end)
        if (!decimal.test(text)) throw unreadable('int8')
        return int8FromText[result](text)
      },
      encode: (value, out) => writeText(String(toInt8(value)), out),
    },
  }
}
