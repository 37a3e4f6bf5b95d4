import { InterfaceError } from '../../errors.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { builtInTypes } from './catalog.ts'
import { binaryFormat, type Codec, checkSize, type Decode, Refusal, refused, textFormat } from './codec.ts'
import type { Int8Result } from './integers.ts'
import { textCodec, writeText } from './text.ts'
import type { TimestamptzResult } from './timestamps.ts'

/** The caller's own way with a type's text. What is left out stays as it is without the override. */
export interface TextOverride {
  format?: 'text' | undefined
  /** Makes the value of the type's text, as the server writes it under the session's settings. Never called for NULL. */
  decode?: ((text: string) => unknown) | undefined
  /** Makes the type's text of a value. Never called for null and undefined. */
  encode?: ((value: unknown) => string) | undefined
}

/** The caller's own way with a type's binary form, that of its send and receive functions. */
export interface BinaryOverride {
  format: 'binary'
  /** Makes the value of the type's bytes, which are the callee's to keep. Never called for NULL. */
  decode?: ((bytes: Buffer) => unknown) | undefined
  /** Makes the type's bytes of a value. Never called for null and undefined. */
  encode?: ((value: unknown) => Uint8Array) | undefined
}

/** The caller's own way with a type; `'text'`: strings both ways, the server's own text. */
export type TypeOverride = 'text' | TextOverride | BinaryOverride

/**
 * How values appear, by the type's name in pg_type (`numeric`, `mood`), its name with its schema (`app.mood`), or its
 * OID; the more exact one wins. Arrays, domains and composites follow the types that they are made of.
 */
export interface TypeOptions {
  /**
   * `'number'` (default): outside ±(2^53-1) the value is refused with a DataError; `'bigint'`, `'string'`: always
   * exact.
   */
  int8?: Int8Result | TypeOverride | undefined
  /** `'date'` (default): a Date, to the millisecond; `'string'`: `2026-01-02T03:04:05.678901Z`, to the microsecond. */
  timestamptz?: TimestamptzResult | TypeOverride | undefined
  [type: string]: Int8Result | TimestamptzResult | TypeOverride | undefined
}

/** The types that have choices of their own. */
const choices: Readonly<Record<string, readonly string[]>> = {
  int8: ['number', 'bigint', 'string'],
  timestamptz: ['date', 'string'],
}

/** SQL's names of types that pg_type knows by another: an option by one of them would never be found. */
const pgTypeNames: Readonly<Record<string, string>> = {
  bigint: 'int8',
  boolean: 'bool',
  character: 'bpchar',
  'character varying': 'varchar',
  decimal: 'numeric',
  'double precision': 'float8',
  int: 'int4',
  integer: 'int4',
  real: 'float4',
  smallint: 'int2',
  'time with time zone': 'timetz',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
}

/** @throws InterfaceError naming the type whose option is not what it should be. */
export function checkTypeOptions(options: TypeOptions): void {
  for (const [name, option] of Object.entries(options)) {
    if (Object.hasOwn(pgTypeNames, name)) {
      throw new InterfaceError(`types[${JSON.stringify(name)}]: pg_type's name of it is ${pgTypeNames[name]}`)
    }
    if (name.startsWith('_') && builtInTypes.some(([, , element]) => name === `_${element}`)) {
      throw new InterfaceError(
        `types.${name}: an array follows its elements' type; give types.${name.slice(1)}`,
      )
    }
    if (name.endsWith('[]')) {
      throw new InterfaceError(
        `types[${JSON.stringify(name)}]: an array follows its elements' type; leave out []`,
      )
    }
    checkOption(name, option)
  }
}

function checkOption(name: string, option: unknown): void {
  const allowed = ['text', ...(Object.hasOwn(choices, name) ? choices[name]! : [])]
  if (option === undefined || (typeof option === 'string' && allowed.includes(option))) return
  const path = `types.${name}`
  if (typeof option !== 'object' || option === null) {
    const shown = allowed.map((choice) => `'${choice}'`).join(', ')
    throw new InterfaceError(`${path}: give one of ${shown}, or an object with decode or encode`)
  }
  const { format, decode, encode, ...rest } = option as Record<string, unknown>
  const stray = Object.keys(rest)[0]
  if (stray !== undefined) {
    throw new InterfaceError(`${path}.${stray}: unknown option; there are format, decode, encode`)
  }
  if (format !== undefined && format !== 'text' && format !== 'binary') {
    throw new InterfaceError(`${path}.format: give 'text' or 'binary'`)
  }
  for (const [part, value] of Object.entries({ decode, encode })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new InterfaceError(`${path}.${part}: must be a function`)
    }
  }
  if (decode === undefined && encode === undefined) {
    throw new InterfaceError(`${path}: give decode, encode, or both`)
  }
}

/** The type's codec, `own` being what it is without the override. */
export function overridden(own: Codec, override: TypeOverride): Codec {
  if (override === 'text') return textCodec(own.name)
  const { decodeBinary: _, ...decoding } = own
  const codec = override.decode === undefined ? own : decoding
  if (override.format === 'binary') {
    return {
      ...codec,
      ...(override.decode && binaryDecode(own.name, override.decode)),
      ...(override.encode && binaryEncode(own.name, override.encode)),
      text: refusedInText(own.name),
    }
  }
  const decode = override.decode && textDecode(own.name, override.decode)
  const inText = own.text ?? own
  return {
    ...codec,
    ...(decode && { resultFormat: textFormat, decode }),
    ...(override.encode && textEncode(own.name, override.encode)),
    text: { decode: decode ?? inText.decode, encode: override.encode ? writeEncoded : inText.encode },
  }
}

/** What goes into a codec in place of its own way in. An array may be one value for the caller's function. */
type EncodingParts = Pick<Codec, 'takesArrays' | 'parameterFormat' | 'prepare' | 'encode'>

function textDecode(name: string, decode: (text: string) => unknown): Decode {
  return (bytes, start, end) => byCaller(name, 'decode', () => decode(bytes.toString('utf8', start, end)))
}

function binaryDecode(
  name: string,
  decode: (bytes: Buffer) => unknown,
): Pick<Codec, 'resultFormat' | 'decode'> {
  return {
    resultFormat: binaryFormat,
    decode: (bytes, start, end) =>
      byCaller(name, 'decode', () => decode(Buffer.from(bytes.subarray(start, end)))),
  }
}

function binaryEncode(name: string, encode: (value: unknown) => Uint8Array): EncodingParts {
  return {
    takesArrays: true,
    parameterFormat: binaryFormat,
    prepare: prepareBy(name, encode, isBytes, 'a Uint8Array'),
    encode(bytes, out) {
      checkSize((bytes as Uint8Array).byteLength)
      out.bytes(bytes as Uint8Array)
    },
  }
}

function textEncode(name: string, encode: (value: unknown) => string): EncodingParts {
  return {
    takesArrays: true,
    parameterFormat: textFormat,
    prepare: prepareBy(name, encode, isText, 'a string'),
    encode: writeEncoded,
  }
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isBytes = (value: unknown): boolean => value instanceof Uint8Array

/** The caller's code runs while the arguments are prepared, never while a message is being written. */
function prepareBy(
  name: string,
  encode: (value: unknown) => unknown,
  fits: (encoded: unknown) => boolean,
  wanted: string,
): (value: unknown) => unknown {
  return (value) => {
    const encoded = byCaller(name, 'encode', () => encode(value))
    if (!fits(encoded)) throw refused(`${wanted} from the option types' encode`, encoded)
    return encoded
  }
}

function writeEncoded(text: unknown, out: OutBuffer): void {
  writeText(text as string, out)
}

/** Whatever the caller's function throws is its own failure, and never the connection's. */
function byCaller<T>(name: string, part: 'decode' | 'encode', call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw new Refusal(`the ${part} of the option types for ${name} threw (see cause)`, [], { cause })
  }
}

/** A value with a binary override cannot stand in the text of a composite or an array. */
function refusedInText(name: string): NonNullable<Codec['text']> {
  const refuse = (): never => {
    throw new Refusal(`${name} has a binary override, and stands within text here; give it one for its text`)
  }
  return { decode: refuse, encode: refuse }
}
