import { binaryFormat, type Codec, refused, textFormat, unreadable, wrongSize } from './codec.ts'
import { decodeNumeric, encodeNumeric, isPlainNumeric } from './numeric-binary.ts'
import { decodeText, writeText } from './text.ts'

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const specials = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** A number; a decimal string or one of 'NaN', 'Infinity', '-Infinity'; a bigint that a double holds exactly. */
function toDouble(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'string') {
    const number = decimal.test(value) ? Number(value) : specials.get(value)
    if (number !== undefined) return number
  } else if (typeof value === 'bigint') {
    const number = Number(value)
    if (Number.isFinite(number) && BigInt(number) === value) return number
  }
  throw refused(`a number (or a decimal string, 'NaN', 'Infinity', '-Infinity')`, value)
}

/** A float of either size in text; at extra_float_digits below 1 the server rounds it. */
function floatFromText(bytes: Buffer, start: number, end: number): number {
  const text = bytes.toString('latin1', start, end)
  const number = decimal.test(text) ? Number(text) : specials.get(text)
  if (number === undefined) throw unreadable('float')
  return number
}

function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function toFloat4(value: unknown): number {
  const number = toDouble(value)
  if (Number.isFinite(number) && !Number.isFinite(Math.fround(number))) {
    throw refused('a number within the range of float4 (about ±3.4e38)', value)
  }
  return number
}

/** Up to here a float4 holds every integer. */
const exactIntegers = 2 ** 24

/** Below it, a float4 has ever fewer digits; from it on, six at least. */
const leastNormal = 2 ** -126

/**
 * The shortest decimal that is this float4, as the server prints it too: 0.1, where the exact value of the
 * 32 bits would be 0.10000000149011612. Nine digits tell any two float4 apart.
 */
function shortest(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) <= exactIntegers) return value
  for (let digits = Math.abs(value) < leastNormal ? 1 : 6; digits < 9; digits++) {
    const candidate = rounded(value, digits)
    if (readsBack(candidate, value)) return candidate
  }
  return rounded(value, 9)
}

/** Whether every reader makes `value` of the decimal, whichever way it rounds one halfway between two float4. */
function readsBack(decimal: number, value: number): boolean {
  const outward = decimal + Math.sign(decimal - value) * Math.abs(decimal) * Number.EPSILON
  return Math.fround(decimal) === value && Math.fround(outward) === value
}

/** Rounded to so many digits, a tie to the even one; toPrecision takes it to the larger one. */
function rounded(value: number, digits: number): number {
  const oneMore = value.toPrecision(digits + 1)
  const tie = evenBelow.exec(oneMore)
  if (tie !== null && Number(oneMore) === value) return Number(tie[1]! + (tie[2] ?? ''))
  return Number(value.toPrecision(digits))
}

const evenBelow = /^(.*[02468])5(e.*)?$/

export const float4: Codec = {
  name: 'float4',
  resultFormat: binaryFormat,
  parameterFormat: binaryFormat,
  decode(bytes, start, end) {
    if (end - start !== 4) throw wrongSize('float4', end - start)
    return shortest(bytes.readFloatBE(start))
  },
  encode(value, out) {
    const number = toFloat4(value)
    out.ensure(4)
    out.position = out.buffer.writeFloatBE(number, out.position)
  },
  text: {
    decode: floatFromText,
    encode: (value, out) => writeText(floatText(toFloat4(value)), out),
  },
}

export const float8: Codec = {
  name: 'float8',
  resultFormat: binaryFormat,
  parameterFormat: binaryFormat,
  decode(bytes, start, end) {
    if (end - start !== 8) throw wrongSize('float8', end - start)
    return bytes.readDoubleBE(start)
  },
  encode(value, out) {
    const number = toDouble(value)
    out.ensure(8)
    out.position = out.buffer.writeDoubleBE(number, out.position)
  },
  text: {
    decode: floatFromText,
    encode: (value, out) => writeText(floatText(toDouble(value)), out),
  },
}

/** A string both ways, in every digit; numbers (NaN and the infinities too) and bigints are taken as well. */
export const numeric: Codec = {
  name: 'numeric',
  resultFormat: textFormat,
  parameterFormat: textFormat,
  decode: decodeText,
  decodeBinary: decodeNumeric,
  encode: (value, out) => writeText(numericText(value), out),
  binary: {
    takes: (value) => !isNumeric(value) || isPlainNumeric(String(value)),
    encode(value, out) {
      const text = numericText(value)
      if (!isPlainNumeric(text)) throw refused('a decimal string', value)
      encodeNumeric(text, out)
    },
  },
}

function isNumeric(value: unknown): value is string | number | bigint {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}

function numericText(value: unknown): string {
  if (!isNumeric(value)) throw refused('a decimal string, a number or a bigint', value)
  return String(value)
}
