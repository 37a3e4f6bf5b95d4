import { types } from 'node:util'

function integerShape(digits: string, kind: string): string {
  const count = digits.length
  return `${kind} of ${count} ${count === 1 ? 'digit' : 'digits'}`
}

function numberShape(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (!Number.isInteger(value)) return 'a number with a fraction'
  const kind = value < 0 ? 'a negative integer' : 'an integer'
  return integerShape(BigInt(Math.abs(value)).toString(), kind)
}

function objectShape(value: object): string {
  if (Array.isArray(value))
    return value.length === 1 ? 'an array of 1 element' : `an array of ${value.length} elements`
  if (types.isDate(value))
    return Number.isNaN(Date.prototype.getTime.call(value)) ? 'an invalid Date' : 'a Date'
  if (types.isUint8Array(value) || types.isAnyArrayBuffer(value)) return `${value.byteLength} bytes`
  return 'an object'
}

/** What a message may say of a value: its kind and size, never its content, which may be secret. */
export function shapeOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length === 1 ? 'a string of 1 character' : `a string of ${value.length} characters`
    case 'number':
      return numberShape(value)
    case 'bigint':
      return value < 0n
        ? integerShape((-value).toString(), 'a negative bigint')
        : integerShape(value.toString(), 'a bigint')
    case 'object':
      return value === null ? 'null' : objectShape(value)
    case 'undefined':
      return 'undefined'
    default:
      return `a ${typeof value}`
  }
}
