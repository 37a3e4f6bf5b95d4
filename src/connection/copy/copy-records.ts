import { DataError, InterfaceError, type RockpoolError } from '../../errors.ts'
import {
  binaryFormat,
  type Codec,
  checkSize,
  inText,
  Refusal,
  undefinedRefused,
} from '../../wire/codecs/codec.ts'
import { Frontend } from '../../wire/messages.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { CopyFormat } from './copy-in.ts'

/** A column to be filled, and how its values are written. */
export interface RecordColumn {
  readonly name: string
  readonly codec: Codec
}

/** How records look on the wire. */
interface RecordLayout {
  readonly format: 'binary' | 'text'
  begin(out: OutBuffer): void
  end(out: OutBuffer): void
  beginRecord(out: OutBuffer, columns: number): void
  /** `value` is null, or prepared for `codec`. */
  writeValue(out: OutBuffer, codec: Codec, value: unknown, column: number): void
  endRecord(out: OutBuffer): void
}

/** "Binary Format" (sql-copy): the signature, no flags, no extension of the header; a trailer of -1. */
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')

const binary: RecordLayout = {
  format: 'binary',
  begin(out) {
    const length = out.beginMessage(Frontend.CopyData)
    out.bytes(signature)
    out.endMessage(length)
  },
  end(out) {
    const length = out.beginMessage(Frontend.CopyData)
    out.int16(-1)
    out.endMessage(length)
  },
  beginRecord: (out, columns) => out.int16(columns),
  writeValue(out, codec, value) {
    out.int32(-1)
    if (value === null) return
    const at = out.position
    codec.encode(value, out)
    checkSize(out.position - at)
    out.buffer.writeInt32BE(out.position - at, at - 4)
  },
  endRecord() {},
}

const tab = 0x09
const newline = 0x0a
const backslash = 0x5c
/** What would be taken for the end of a column or a line ("Text Format", sql-copy). */
const escapes = new Map([
  [backslash, '\\\\'],
  [newline, '\\n'],
  [0x0d, '\\r'],
  [tab, '\\t'],
])

const text: RecordLayout = {
  format: 'text',
  begin() {},
  end() {},
  beginRecord() {},
  writeValue(out, codec, value, column) {
    if (column > 0) out.int8(tab)
    if (value === null) {
      out.text('\\N')
      return
    }
    const at = out.position
    codec.encode(value, out)
    escapeFrom(out, at)
    checkSize(out.position - at)
  },
  endRecord: (out) => out.int8(newline),
}

function isSpecial(byte: number): boolean {
  return byte === backslash || (byte < 0x20 && escapes.has(byte))
}

function escapeFrom(out: OutBuffer, from: number): void {
  let at = from
  while (at < out.position && !isSpecial(out.buffer[at]!)) at++
  if (at === out.position) return
  const copy = Buffer.from(out.buffer.subarray(from, out.position))
  out.truncate(from)
  for (const byte of copy) {
    const escaped = escapes.get(byte)
    if (escaped === undefined) out.int8(byte)
    else out.text(escaped)
  }
}

/** Records as COPY data: in binary where every column has a binary form here, else in text, which every type has. */
export class RecordFormat implements CopyFormat<unknown> {
  readonly #columns: readonly RecordColumn[]
  readonly #layout: RecordLayout

  /** @throws InterfaceError naming the column that has no text form beside one that has only that. */
  constructor(columns: readonly RecordColumn[]) {
    const isBinary = columns.every(({ codec }) => codec.parameterFormat === binaryFormat)
    this.#layout = isBinary ? binary : text
    this.#columns = isBinary ? columns : columns.map(({ name, codec }) => ({ name, codec: inText(codec) }))
    const unfit = isBinary
      ? undefined
      : this.#columns.find(({ codec }) => codec.parameterFormat === binaryFormat)
    if (unfit !== undefined) {
      throw refused(
        `${inColumn(unfit)} is written in binary only, which COPY cannot mix with text; use executeMany`,
        'not-sent',
      )
    }
  }

  get format(): 'binary' | 'text' {
    return this.#layout.format
  }

  begin(out: OutBuffer): void {
    this.#layout.begin(out)
  }

  end(out: OutBuffer): void {
    this.#layout.end(out)
  }

  write(record: unknown, index: number, out: OutBuffer): undefined {
    const columns = this.#columns
    const layout = this.#layout
    const values = this.#prepare(record, index)
    const start = out.position
    const length = out.beginMessage(Frontend.CopyData)
    layout.beginRecord(out, columns.length)
    for (let i = 0; i < columns.length; i++) {
      try {
        layout.writeValue(out, columns[i]!.codec, values[i], i)
      } catch (error) {
        out.truncate(start)
        throw cannotEncode(error, index, columns[i]!)
      }
    }
    layout.endRecord(out)
    out.endMessage(length)
  }

  /** May run the caller's code, which may use this very connection: so it comes before the first byte. */
  #prepare(record: unknown, index: number): readonly unknown[] {
    if (!Array.isArray(record)) throw refused(`the record at index ${index} is not an array`)
    const columns = this.#columns
    if (record.length !== columns.length) {
      throw refused(
        `the record at index ${index} has ${record.length} values, and there are ${columns.length} columns`,
      )
    }
    return columns.map((column, i) => {
      const value: unknown = record[i]
      const { prepare } = column.codec
      if (value === null || (value !== undefined && prepare === undefined)) return value
      try {
        if (value === undefined) throw undefinedRefused()
        return prepare!(value)
      } catch (error) {
        throw cannotEncode(error, index, column)
      }
    })
  }
}

function refused(what: string, outcome: 'failed' | 'not-sent' = 'failed'): InterfaceError {
  return new InterfaceError(`copyRecordsToTable(): ${what}`, { outcome })
}

function inColumn({ name, codec }: RecordColumn): string {
  return `column ${JSON.stringify(name)} (${codec.name})`
}

function cannotEncode(error: unknown, index: number, column: RecordColumn): RockpoolError {
  const where = `copyRecordsToTable(): cannot encode the record at index ${index}, ${inColumn(column)}`
  const failure =
    error instanceof Refusal
      ? new DataError(`${where}${error.place === '' ? '' : ` at ${error.place}`}: ${error.message}`, {
          outcome: 'failed',
        })
      : new DataError(`${where}: turning it into bytes failed (see cause)`, {
          outcome: 'failed',
          cause: error,
        })
  return Object.assign(failure, { index })
}
