import {
  binaryDecoder,
  binaryFormat,
  type Codec,
  inText,
  Refusal,
  refused,
  textFormat,
  undefinedRefused,
  withinPart,
} from './codec.ts'
import { decodeCompositeBytes } from './composite-binary.ts'
import { decodeCompositeText, encodeCompositeText } from './composite-text.ts'
import { nameValues } from './named-values.ts'

/** An attribute of a composite type, in the type's order. */
export interface Attribute {
  readonly name: string
  readonly oid: number
  readonly codec: Codec
}

/** Says that the type is not what it was when its attributes were asked for: for certain, or as a guess. */
export type Outdated = (certain: boolean) => void

/**
 * A composite type: an object by attribute names comes out; an object, or an array in the attributes' order, goes in.
 * What is read in binary where every attribute can be, is read in text otherwise; it is written in text, as most
 * attributes are.
 */
export function compositeCodec(name: string, attributes: readonly Attribute[], outdated: Outdated): Codec {
  const names = attributes.map((attribute) => attribute.name)
  const text = textForms(name, attributes, names, outdated)
  const binary = attributes.flatMap(({ codec, oid, ...rest }) => {
    const decode = binaryDecoder(codec)
    return decode === undefined ? [] : [{ ...rest, oid, decode }]
  })
  const inBinary = binary.length === attributes.length
  return {
    name,
    resultFormat: inBinary ? binaryFormat : textFormat,
    parameterFormat: textFormat,
    takesArrays: true,
    mayChange: true,
    decode: inBinary
      ? (bytes, start, end) => {
          const values = decodeCompositeBytes(binary, bytes, start, end)
          if (values === undefined) throw changed(name, outdated)
          return nameValues(names, values)
        }
      : text.decode,
    prepare: (value) => prepareAttributes(attributes, names, value, outdated),
    encode: text.encode,
    text,
  }
}

function textForms(
  name: string,
  attributes: readonly Attribute[],
  names: readonly string[],
  outdated: Outdated,
): NonNullable<Codec['text']> {
  const inner = attributes.map((attribute) => ({ name: attribute.name, codec: inText(attribute.codec) }))
  return {
    decode(bytes, start, end) {
      const values = decodeCompositeText(inner, bytes, start, end)
      if (values === undefined) throw changed(name, outdated)
      return nameValues(names, values)
    },
    encode(values, out) {
      try {
        encodeCompositeText(inner, values as readonly unknown[], out)
      } catch (error) {
        outdated(false)
        throw error
      }
    },
  }
}

function changed(name: string, outdated: Outdated): Refusal {
  outdated(true)
  return new Refusal(
    `the type ${name} was changed since its attributes were asked for; its next use asks again`,
  )
}

/** The attributes' values in their order, ready to be encoded; null for one that is not there. */
function prepareAttributes(
  attributes: readonly Attribute[],
  names: readonly string[],
  value: unknown,
  outdated: Outdated,
): unknown[] {
  const list = Array.isArray(value) ? value : valuesByName(names, value, outdated)
  if (list.length !== attributes.length) {
    outdated(false)
    throw refused(`an array of ${attributes.length} values, one for each attribute`, value)
  }
  return attributes.map(({ codec, name }, i) => {
    const item = list[i]
    if (item === null) return null
    try {
      if (item === undefined) throw undefinedRefused()
      return codec.prepare === undefined ? item : codec.prepare(item)
    } catch (error) {
      if (item !== undefined) outdated(false)
      throw withinPart(error, name)
    }
  })
}

function valuesByName(names: readonly string[], value: unknown, outdated: Outdated): unknown[] {
  if (!hasNames(value)) {
    throw refused(`an object with the attributes ${names.join(', ')}, or an array of their values`, value)
  }
  const unknown = Object.keys(value).find((key) => !names.includes(key))
  if (unknown !== undefined) {
    outdated(false)
    throw new Refusal(`there is no attribute ${JSON.stringify(unknown)}; there are ${names.join(', ')}`)
  }
  return names.map((name) => (Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null))
}

/** A Date, a Promise or a Map has no keys, and would pass for an object whose attributes are all NULL. */
function hasNames(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  if (Object.keys(value).length > 0) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
