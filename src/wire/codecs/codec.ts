import { brokenProtocol } from '../frame-reader.ts'
import type { OutBuffer } from '../out-buffer.ts'
import { shapeOf } from './shape.ts'

/** The format codes of Bind and RowDescription. "Formats and Format Codes" (protocol-overview). */
export type Format = 0 | 1
export const textFormat = 0
export const binaryFormat = 1

/** Reads the value in bytes[start, end). */
export type Decode = (bytes: Buffer, start: number, end: number) => unknown
/** Appends the value's bytes without their length. */
export type Encode = (value: unknown, out: OutBuffer) => void

/** Reads and writes the values of one PostgreSQL type. NULL never reaches a codec. */
export interface Codec {
  /** The type's name, for messages. */
  readonly name: string
  /** The format that the server is asked for, and that `decode` reads. */
  readonly resultFormat: Format
  /** The format that `encode` writes. */
  readonly parameterFormat: Format
  /** The format that `encode` writes for this value, where that depends on the value. Asked of parameters only. */
  readonly formatOf?: (value: unknown) => Format
  /** Set where a JavaScript array is itself a value of the type: arrays of the type are then taken one level deep. */
  readonly takesArrays?: true
  /** Set for composites, and what is made of them: ALTER TYPE may have changed what was learned of them. */
  readonly mayChange?: true
  /**
   * The value in bytes[start, end), which the caller has checked to lie in the message.
   *
   * @throws Refusal where JavaScript has no such value, ConnectionLostError where the bytes are no value at all.
   */
  readonly decode: Decode
  /**
   * What `encode` needs of `value`. It is the only step that may run the caller's code (`toJSON`, getters), which
   * may use this very connection: so it comes before the first byte of the message. Absent: the value as it is.
   *
   * @throws Refusal, and whatever the caller's code throws.
   */
  readonly prepare?: (value: unknown) => unknown
  /**
   * Appends the value's bytes without their length. What it appended before it threw stays in `out`.
   *
   * @throws Refusal where the value is none of this type's.
   */
  readonly encode: Encode
  /** Both ways in the text format, within the text of an array or a composite. Absent: as `decode` and `encode`. */
  readonly text?: { readonly decode: Decode; readonly encode: Encode }
  /** Reads the binary format where `decode` reads the text, within the binary form of an array or a composite. */
  readonly decodeBinary?: Decode
  /** Writes the binary format where `encode` may write the text, for binary COPY, which takes nothing else. */
  readonly binary?: BinaryForm
}

export interface BinaryForm {
  /** Whether `encode` writes the value, or refuses it for good; else the server alone can read it. Absent: it does. */
  readonly takes?: (value: unknown) => boolean
  readonly encode: Encode
}

/** The codec as it is within another value's text. */
export function inText(codec: Codec): Codec {
  if (codec.text === undefined) return codec
  const { formatOf: _, ...rest } = codec
  return { ...rest, ...codec.text, resultFormat: textFormat, parameterFormat: textFormat }
}

/** How values of the type are written in binary, where they are. */
export function binaryForm(codec: Codec): BinaryForm | undefined {
  return codec.parameterFormat === binaryFormat && codec.formatOf === undefined ? codec : codec.binary
}

/** What reads the type's binary format, where anything does. */
export function binaryDecoder(codec: Codec): Decode | undefined {
  return codec.resultFormat === binaryFormat ? codec.decode : codec.decodeBinary
}

/** Why a value does not fit its type. Whoever knows the parameter or the column makes a DataError of it. */
export class Refusal extends Error {
  /** Where the value sits within arrays (an index) and composites (a name), from the outside in. */
  readonly path: readonly (number | string)[]

  constructor(reason: string, path: readonly (number | string)[] = [], options?: ErrorOptions) {
    super(reason, options)
    this.path = path
  }

  /** The path as it is written behind what holds the value: `[2].street`. */
  get place(): string {
    return this.path
      .map((step) => (plainName.test(String(step)) ? `.${step}` : `[${JSON.stringify(step)}]`))
      .join('')
  }
}

const plainName = /^[a-z_]\w*$/i

/** What went wrong with the part at `steps` of a value, as the whole's error. What is no refusal stays as it is. */
export function withinPart(error: unknown, ...steps: (number | string)[]): unknown {
  if (!(error instanceof Refusal)) return error
  return new Refusal(
    error.message,
    [...steps, ...error.path],
    'cause' in error ? { cause: error.cause } : undefined,
  )
}

/** Text that is no value of the type; its content is not shown. */
export function unreadable(name: string): Refusal {
  return new Refusal(`its text is not that of a value of type ${name}`)
}

export function refused(expected: string, value: unknown): Refusal {
  return new Refusal(`expected ${expected}, got ${shapeOf(value)}`)
}

/** An undefined is a mistake more often than a NULL. */
export function undefinedRefused(): Refusal {
  return new Refusal('undefined is not a value; use null for NULL')
}

/** Fixed-size types check their size first: a lying length is a broken protocol, not a strange value. */
export function wrongSize(name: string, size: number): Error {
  return brokenProtocol(`a value of type ${name} has ${size} bytes`)
}

/** PostgreSQL allocates less than 1 GiB for any value, and for any message. */
export const mostBytes = 0x3fff_ffff

/** To be called before anything is allocated for the bytes. */
export function checkSize(bytes: number): void {
  if (bytes > mostBytes) {
    throw new Refusal(`${bytes} bytes are more than a value can have (1 GiB); send it in parts`)
  }
}
