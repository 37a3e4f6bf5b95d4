import type { Codec } from './codecs/codec.ts'
import type { FieldDescription } from './messages.ts'
import { compileRowReader, type RowMode, type RowReader } from './row-reader.ts'

/** The columns of a statement's rows, and how they are read. */
export class RowShape {
  readonly fields: readonly FieldDescription[]
  readonly codecs: readonly Codec[]
  /** The end of a Bind message: one format code for all columns where they agree ("Bind", protocol-message-formats). */
  readonly resultFormats: Buffer
  #objects: RowReader | undefined
  #arrays: RowReader | undefined

  constructor(fields: readonly FieldDescription[], codecs: readonly Codec[]) {
    this.fields = fields
    this.codecs = codecs
    this.resultFormats = resultFormats(codecs)
  }

  reader(mode: RowMode): RowReader {
    if (mode === 'array') {
      this.#arrays ??= compileRowReader(this.fields, this.codecs, mode)
      return this.#arrays
    }
    this.#objects ??= compileRowReader(this.fields, this.codecs, mode)
    return this.#objects
  }
}

function resultFormats(codecs: readonly Codec[]): Buffer {
  const formats = codecs.map((codec) => codec.resultFormat)
  const distinct = new Set(formats)
  const codes = distinct.size === 1 ? [...distinct] : formats
  const bytes = Buffer.alloc(2 + 2 * codes.length)
  bytes.writeUInt16BE(codes.length, 0)
  for (const [i, code] of codes.entries()) bytes.writeUInt16BE(code, 2 + 2 * i)
  return bytes
}

/** How many shapes are remembered, and of how long a description; when there are more, it starts anew. */
const remembered = 500
const longestRemembered = 4_000

/**
 * The shapes that several connections have in common: what a statement's rows are is kept once, and their reader is
 * compiled once, and made fast by the runtime once, however many connections prepare it.
 */
export class RowShapes {
  readonly #known = new Map<string, RowShape>()

  /** The shape of rows with these columns, whose values are read by `codecs`. */
  of(fields: readonly FieldDescription[], codecs: readonly Codec[]): RowShape {
    const key = JSON.stringify(fields)
    const known = this.#known.get(key)
    // A connection may have codecs of its own, for types that it learned.
    if (known?.codecs.every((codec, i) => codec === codecs[i])) return known
    const shape = new RowShape(fields, codecs)
    if (key.length <= longestRemembered) this.#remember(key, shape)
    return shape
  }

  #remember(key: string, shape: RowShape): void {
    if (this.#known.size >= remembered) this.#known.clear()
    this.#known.set(key, shape)
  }
}
