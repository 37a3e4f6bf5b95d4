import { decodeArrayBytes, encodeArrayBytes } from './array-binary.ts'
import { decodeArrayText, encodeArrayText } from './array-text.ts'
import { binaryDecoder, binaryFormat, type Codec, inText } from './codec.ts'
import { type FlatArray, flatten } from './flat-array.ts'

/** The array type over `element`; JavaScript arrays both ways, of any number of dimensions, null for NULL. */
export function arrayCodec(element: Codec, elementOid: number, delimiter: string): Codec {
  const code = delimiter.charCodeAt(0)
  const elementInText = inText(element)
  const elementDecoder = binaryDecoder(element)
  const text: NonNullable<Codec['text']> = {
    decode: (bytes, start, end) => decodeArrayText(elementInText.decode, code, bytes, start, end),
    encode: (flat, out) => encodeArrayText(elementInText, code, flat as FlatArray, out),
  }
  const binary: Pick<Codec, 'decodeBinary'> =
    elementDecoder === undefined
      ? {}
      : { decodeBinary: (bytes, start, end) => decodeArrayBytes(elementDecoder, bytes, start, end) }
  return {
    name: `${element.name}[]`,
    resultFormat: element.resultFormat,
    parameterFormat: element.parameterFormat,
    decode: (element.resultFormat === binaryFormat && binary.decodeBinary) || text.decode,
    prepare: (value) => flatten(element, value),
    encode:
      element.parameterFormat === binaryFormat
        ? (flat, out) => encodeArrayBytes(element, elementOid, flat as FlatArray, out)
        : text.encode,
    text,
    ...binary,
    ...(element.mayChange && { mayChange: true }),
  }
}
