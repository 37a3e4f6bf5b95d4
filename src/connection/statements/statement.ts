import type { Codec, TypeRegistry } from '../../wire/codecs/index.ts'
import { encodeParameters, type PreparedArguments, prepareArguments } from '../../wire/codecs/parameters.ts'
import { type FieldDescription, Frontend } from '../../wire/messages.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import { compileRowReader, type RowMode, type RowReader } from '../../wire/row-reader.ts'
import { isPlainQuery } from '../sql/first-word.ts'

/** A statement as the server described it: what goes in, what comes out, and how both are read and written. */
export class Statement {
  readonly sql: string
  /** Its name on the server; empty: the unnamed statement. */
  readonly name: string
  /** The OIDs of its parameters' types. */
  readonly parameterTypes: readonly number[]
  /** Whether it reads or writes rows, and does nothing else. */
  readonly isPlain: boolean
  readonly fields: readonly FieldDescription[]
  readonly #bindPrefix: Buffer
  readonly #parameters: readonly Codec[]
  readonly #columns: readonly Codec[]
  readonly #resultFormats: Buffer
  #objects: RowReader | undefined
  #arrays: RowReader | undefined

  constructor(
    sql: string,
    name: string,
    parameterTypes: readonly number[],
    fields: readonly FieldDescription[],
    types: TypeRegistry,
  ) {
    this.sql = sql
    this.name = name
    this.isPlain = isPlainQuery(sql)
    this.parameterTypes = parameterTypes
    this.fields = fields
    this.#parameters = types.codecs(parameterTypes)
    this.#columns = types.codecs(fields.map((field) => field.typeOid))
    this.#resultFormats = resultFormats(this.#columns)
    this.#bindPrefix = Buffer.from(`\0${name}\0`)
  }

  /** Whether a parameter's type may not be what it was when it was asked for. */
  get takesChanging(): boolean {
    return this.#parameters.some((codec) => codec.mayChange)
  }

  /**
   * The arguments, ready for `writeBind`. May run the user's code (`toJSON`).
   *
   * @throws InterfaceError where their number is wrong, DataError naming `$n` where one does not fit its parameter.
   */
  prepareArguments(args: readonly unknown[]): PreparedArguments {
    return prepareArguments(this.#parameters, args)
  }

  /** @throws DataError naming `$n` where an argument does not fit its parameter. */
  writeBind(out: OutBuffer, args: PreparedArguments, portal = ''): void {
    const length = out.beginMessage(Frontend.Bind)
    if (portal !== '') out.text(portal)
    out.bytes(this.#bindPrefix)
    encodeParameters(out, this.#parameters, args)
    out.bytes(this.#resultFormats)
    out.endMessage(length)
  }

  reader(mode: RowMode): RowReader {
    if (mode === 'array') {
      this.#arrays ??= compileRowReader(this.fields, this.#columns, mode)
      return this.#arrays
    }
    this.#objects ??= compileRowReader(this.fields, this.#columns, mode)
    return this.#objects
  }
}

/** The end of a Bind message: one format code for all columns where they agree ("Bind", protocol-message-formats). */
function resultFormats(columns: readonly Codec[]): Buffer {
  const formats = columns.map((codec) => codec.resultFormat)
  const distinct = new Set(formats)
  const codes = distinct.size === 1 ? [...distinct] : formats
  const bytes = Buffer.alloc(2 + 2 * codes.length)
  bytes.writeUInt16BE(codes.length, 0)
  for (const [i, code] of codes.entries()) bytes.writeUInt16BE(code, 2 + 2 * i)
  return bytes
}
