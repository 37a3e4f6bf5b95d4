import { brokenProtocol } from '../frame-reader.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { wrongSize } from './codec.ts'

/*
 * numeric_send in PostgreSQL's numeric.c: Int16 digits, Int16 weight of the first one, Int16 sign, Int16 decimal
 * digits shown; then the digits, base 10000, an Int16 each.
 */
const headerSize = 8
const decimalsInDigit = 4
const negative = 0x4000
const specials = new Map([
  [0xc000, 'NaN'],
  [0xd000, 'Infinity'],
  [0xf000, '-Infinity'],
])

/** The text of a numeric in its binary form, with every digit, as the server writes it. */
export function decodeNumeric(bytes: Buffer, start: number, end: number): string {
  if (end - start < headerSize) throw wrongSize('numeric', end - start)
  const count = bytes.readUInt16BE(start)
  const weight = bytes.readInt16BE(start + 2)
  const sign = bytes.readUInt16BE(start + 4)
  const scale = bytes.readUInt16BE(start + 6)
  if (end - start !== headerSize + 2 * count) throw wrongSize('numeric', end - start)
  const special = specials.get(sign)
  if (special !== undefined) return special
  if (sign !== 0 && sign !== negative) throw brokenProtocol(`a numeric has the sign ${sign}`)
  const digit = (index: number): string => {
    const value = index < 0 || index >= count ? 0 : bytes.readUInt16BE(start + headerSize + 2 * index)
    if (value > 9999) throw brokenProtocol(`a numeric has the digit ${value}, base 10000`)
    return String(value).padStart(decimalsInDigit, '0')
  }
  let whole = ''
  for (let index = 0; index <= weight; index++) whole += digit(index)
  let fraction = ''
  for (let index = weight + 1; fraction.length < scale; index++) fraction += digit(index)
  const shownWhole = whole.replace(/^0+/, '') || '0'
  const shownFraction = scale > 0 ? `.${fraction.slice(0, scale)}` : ''
  return `${sign === negative ? '-' : ''}${shownWhole}${shownFraction}`
}

const specialSigns = new Map([...specials].map(([sign, text]) => [text, sign]))

/** Sign, digits, and the digits behind the point. */
const plain = /^([+-]?)(\d+)(?:\.(\d*))?$/
/** Far from where the server finds a numeric too large. */
const mostCharacters = 1_000

/** Whether `encodeNumeric` writes the text. The server knows more spellings, by its version. */
export function isPlainNumeric(text: string): boolean {
  return specialSigns.has(text) || (text.length <= mostCharacters && plain.test(text))
}

/** Appends the binary form of what `isPlainNumeric` lets pass. */
export function encodeNumeric(text: string, out: OutBuffer): void {
  const special = specialSigns.get(text)
  if (special !== undefined) {
    writeHeader(0, 0, special, 0, out)
    return
  }
  const [, minus, whole = '', fraction = ''] = plain.exec(text)!
  const wholeDigits = Math.ceil(whole.length / decimalsInDigit)
  const fractionDigits = Math.ceil(fraction.length / decimalsInDigit)
  const decimals =
    whole.padStart(wholeDigits * decimalsInDigit, '0') +
    fraction.padEnd(fractionDigits * decimalsInDigit, '0')
  writeHeader(
    wholeDigits + fractionDigits,
    wholeDigits - 1,
    minus === '-' ? negative : 0,
    fraction.length,
    out,
  )
  for (let at = 0; at < decimals.length; at += decimalsInDigit) {
    out.int16(Number(decimals.slice(at, at + decimalsInDigit)))
  }
}

function writeHeader(count: number, weight: number, sign: number, scale: number, out: OutBuffer): void {
  out.int16(count)
  out.int16(weight)
  out.int16(sign)
  out.int16(scale)
}
