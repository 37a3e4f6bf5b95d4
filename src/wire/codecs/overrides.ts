import { InterfaceError } from '../../errors.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { builtInTypes } from './catalog.ts'
import { binaryFormat, type Codec, checkSize, type Decode, Refusal, refused, textFormat } from './codec.ts'
import type { Int8Result } from './integers.ts'
import { textCodec, writeText } from './text.ts'
import type { TimestamptzResult } from './timestamps.ts'

/**
 * The caller's own way with a type, in the text that the server writes under the session's settings, or in the binary
 * form of the type's send and receive functions. None is called for NULL. What is left out stays as it is.
 */
export interface TypeFunctions {
  /** Makes the value of the type's text. */
  decode?: ((text: string) => unknown) | undefined
  /** Makes the value of the type's bytes, which are the callee's to keep. Comes before `decode` where both can be used. */
  decodeBinary?: ((bytes: Buffer) => unknown) | undefined
  /** Makes the type's text of a value. */
  encode?: ((value: unknown) => string) | undefined
  /** Makes the type's bytes of a value, in place of `encode`. Not for attributes of composites, which go as text. */
  encodeBinary?: ((value: unknown) => Uint8Array) | undefined
}

/** `'text'`: strings both ways, the server's own text. */
export type TypeOverride = 'text' | TypeFunctions

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
    throw new InterfaceError(`${path}: give one of ${shown}, or an object with ${functionNames.join(', ')}`)
  }
  for (const [part, value] of Object.entries(option)) {
    if (!functionNames.some((name) => name === part)) {
      throw new InterfaceError(`${path}.${part}: unknown option; there are ${functionNames.join(', ')}`)
    }
    if (value !== undefined && typeof value !== 'function') {
      throw new InterfaceError(`${path}.${part}: must be a function`)
    }
  }
  const { encode, encodeBinary, ...decoders } = option as TypeFunctions
  if (encode !== undefined && encodeBinary !== undefined) {
    throw new InterfaceError(`${path}: give encode or encodeBinary, not both`)
  }
  if (![encode, encodeBinary, ...Object.values(decoders)].some((given) => given !== undefined)) {
    throw new InterfaceError(`${path}: give at least one of ${functionNames.join(', ')}`)
  }
}

const functionNames = [
  'decode',
  'decodeBinary',
  'encode',
  'encodeBinary',
] as const satisfies readonly (keyof TypeFunctions)[]

/** The type's codec, `own` being what it is without the override. */
export function overridden(own: Codec, override: TypeOverride): Codec {
  if (override === 'text') return textCodec(own.name)
  const text = own.text ?? own
  const out = decoding(own.name, override)
  const into = encoding(own.name, override)
  const { decodeBinary, formatOf, binary, ...rest } = own
  return {
    ...rest,
    ...(out === undefined ? decodeBinary && { decodeBinary } : out.top),
    ...(into === undefined ? { ...(formatOf && { formatOf }), ...(binary && { binary }) } : into.top),
    text: { decode: out?.inText ?? text.decode, encode: into?.inText ?? text.encode },
  }
}

/** How a value comes out by itself, and within text. */
function decoding(name: string, { decode, decodeBinary }: TypeFunctions) {
  const fromText: Decode | undefined =
    decode &&
    ((bytes, start, end) => byCaller(name, 'decode', () => decode(bytes.toString('utf8', start, end))))
  if (decodeBinary === undefined) {
    return fromText && { top: { resultFormat: textFormat, decode: fromText } as const, inText: fromText }
  }
  const fromBytes: Decode = (bytes, start, end) =>
    byCaller(name, 'decodeBinary', () => decodeBinary(Buffer.from(bytes.subarray(start, end))))
  return {
    top: { resultFormat: binaryFormat, decode: fromBytes } as const,
    inText: fromText ?? onlyBinary(name, 'decode'),
  }
}

/**
 * How a value goes in by itself, and within text. The caller's code runs while the arguments are prepared, never while
 * a message is being written. As an array may be one value for it, arrays of the type are taken one level deep.
 */
function encoding(name: string, { encode, encodeBinary }: TypeFunctions) {
  if (encode !== undefined) {
    const prepare = (value: unknown): string => {
      const text: unknown = byCaller(name, 'encode', () => encode(value))
      if (typeof text !== 'string') throw refused(`a string from types' encode`, text)
      return text
    }
    const top = { takesArrays: true, parameterFormat: textFormat, prepare, encode: writePrepared } as const
    return { top, inText: writePrepared }
  }
  if (encodeBinary === undefined) return undefined
  const prepare = (value: unknown): Uint8Array => {
    const bytes: unknown = byCaller(name, 'encodeBinary', () => encodeBinary(value))
    if (!(bytes instanceof Uint8Array)) throw refused(`a Uint8Array from types' encodeBinary`, bytes)
    checkSize(bytes.byteLength)
    return bytes
  }
  const top = {
    takesArrays: true,
    parameterFormat: binaryFormat,
    prepare,
    encode: (bytes: unknown, out: OutBuffer) => out.bytes(bytes as Uint8Array),
  } as const
  return { top, inText: onlyBinary(name, 'encode') }
}

function writePrepared(text: unknown, out: OutBuffer): void {
  writeText(text as string, out)
}

/** Whatever the caller's function throws is its own failure, and never the connection's. */
function byCaller<T>(name: string, part: keyof TypeFunctions, call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw new Refusal(`the ${part} of the option types for ${name} threw (see cause)`, [], { cause })
  }
}

/** A value whose functions are for its binary form only stands in the text of a composite or an array. */
function onlyBinary(name: string, part: keyof TypeFunctions): () => never {
  return () => {
    throw new Refusal(`a value of type ${name} stands within text here; give its option types ${part}, too`)
  }
}
