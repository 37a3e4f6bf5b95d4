import type { Codec, TypeRegistry } from '../../wire/codecs/index.ts'
import { encodeParameters, type PreparedArguments, prepareArguments } from '../../wire/codecs/parameters.ts'
import { type FieldDescription, Frontend } from '../../wire/messages.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { RowMode, RowReader } from '../../wire/row-reader.ts'
import type { RowShape, RowShapes } from '../../wire/row-shape.ts'
import { isPlainQuery } from '../sql/first-word.ts'

/** How the values of one connection are read and written. */
export interface ValueFormats {
  readonly types: TypeRegistry
  readonly shapes: RowShapes
}

/** A statement as the server described it: what goes in, what comes out, and how both are read and written. */
export class Statement {
  readonly sql: string
  /** Its name on the server; empty: the unnamed statement. */
  readonly name: string
  /** The OIDs of its parameters' types. */
  readonly parameterTypes: readonly number[]
  /** Whether it reads or writes rows, and does nothing else. */
  readonly isPlain: boolean
  readonly #bindPrefix: Buffer
  readonly #parameters: readonly Codec[]
  readonly #shape: RowShape

  constructor(
    sql: string,
    name: string,
    parameterTypes: readonly number[],
    fields: readonly FieldDescription[],
    { types, shapes }: ValueFormats,
  ) {
    this.sql = sql
    this.name = name
    this.isPlain = isPlainQuery(sql)
    this.parameterTypes = parameterTypes
    this.#parameters = types.codecs(parameterTypes)
    this.#shape = shapes.of(fields, types.codecs(fields.map((field) => field.typeOid)))
    this.#bindPrefix = bindPrefix(name)
  }

  get fields(): readonly FieldDescription[] {
    return this.#shape.fields
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
    out.bytes(this.#shape.resultFormats)
    out.endMessage(length)
  }

  reader(mode: RowMode): RowReader {
    return this.#shape.reader(mode)
  }
}

/** Bind's names of the portal, the unnamed one, and of the statement. As for `BodyReader.bytes`, none of Node's pool. */
function bindPrefix(name: string): Buffer {
  const bytes = Buffer.alloc(name.length + 2)
  bytes.write(name, 1, 'latin1')
  return bytes
}
