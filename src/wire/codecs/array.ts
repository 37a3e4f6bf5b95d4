import { decodeArrayBytes, encodeArrayBytes } from './array-binary.ts'
import { decodeArrayText, encodeArrayText } from './array-text.ts'
import { binaryFormat, type Codec } from './codec.ts'
import { type FlatArray, flatten } from './flat-array.ts'

/** The array type over `element`; JavaScript arrays both ways, of any number of dimensions, null for NULL. */
export function arrayCodec(element: Codec, elementOid: number, delimiter: string): Codec {
  const code = delimiter.charCodeAt(0)
  return {
    name: `${element.name}[]`,
    resultFormat: element.resultFormat,
    parameterFormat: element.parameterFormat,
    decode:
      element.resultFormat === binaryFormat
        ? (bytes, start, end) => decodeArrayBytes(element, bytes, start, end)
        : (bytes, start, end) => decodeArrayText(element, code, bytes, start, end),
    prepare: (value) => flatten(element, value),
    encode:
      element.parameterFormat === binaryFormat
        ? (flat, out) => encodeArrayBytes(element, elementOid, flat as FlatArray, out)
        : (flat, out) => encodeArrayText(element, code, flat as FlatArray, out),
  }
}
