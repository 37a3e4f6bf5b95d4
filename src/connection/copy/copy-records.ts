import { setImmediate } from 'node:timers/promises'
import { DataError, InterfaceError, type RockpoolError } from '../../errors.ts'
import {
  binaryForm,
  binaryFormat,
  type Codec,
  checkSize,
  type Encode,
  inText,
  Refusal,
  undefinedRefused,
} from '../../wire/codecs/codec.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import type { CopyFormat } from './copy-in.ts'

/** A column to be filled, and how its values are written. */
export interface RecordColumn {
  readonly name: string
  readonly codec: Codec
}

/** How records look in the data. */
interface RecordLayout {
  readonly format: 'binary' | 'text'
  begin(out: OutBuffer): void
  end(out: OutBuffer): void
  beginRecord(out: OutBuffer, columns: number): void
  /** `value` is null, or prepared for `encode`. */
  writeValue(out: OutBuffer, encode: Encode, value: unknown, column: number): void
  endRecord(out: OutBuffer): void
}

/** "Binary Format" (sql-copy): the signature, no flags, no extension of the header; a trailer of -1. */
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')

const binary: RecordLayout = {
  format: 'binary',
  begin: (out) => out.bytes(signature),
  end: (out) => out.int16(-1),
  beginRecord: (out, columns) => out.int16(columns),
  writeValue(out, encode, value) {
    out.int32(-1)
    if (value === null) return
    const at = out.position
    encode(value, out)
    checkSize(out.position - at)
    out.int32At(at - 4, out.position - at)
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
  writeValue(out, encode, value, column) {
    if (column > 0) out.int8(tab)
    if (value === null) {
      out.text('\\N')
      return
    }
    const at = out.position
    encode(value, out)
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

/** How many records are looked at in one turn of the event loop. */
const atOnce = 65_536

/**
 * Whether binary COPY can take the records, which is faster: where every column has a binary form, and every value that
 * it is sure to write. It cannot be told of records that are still to come.
 */
export async function fitBinary(columns: readonly RecordColumn[], records: unknown): Promise<boolean> {
  const forms = columns.map(({ codec }) => binaryForm(codec))
  if (forms.includes(undefined)) return false
  const choosy = forms.flatMap((form, column) =>
    form?.takes === undefined ? [] : { column, takes: form.takes },
  )
  if (choosy.length === 0) return true
  if (!Array.isArray(records)) return false
  for (let from = 0; from < records.length; from += atOnce) {
    if (from > 0) await setImmediate()
    const end = Math.min(from + atOnce, records.length)
    for (const { column, takes } of choosy) {
      for (let i = from; i < end; i++) {
        const record: unknown = records[i]
        if (Array.isArray(record) && !takes(record[column])) return false
      }
    }
  }
  return true
}

/** Records as COPY data. */
export class RecordFormat implements CopyFormat<unknown> {
  readonly #columns: readonly RecordColumn[]
  readonly #encoders: readonly Encode[]
  readonly #layout: RecordLayout

  /** @throws InterfaceError naming the column that has no text form where that is wanted. */
  constructor(columns: readonly RecordColumn[], isBinary: boolean) {
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
    this.#encoders = this.#columns.map(({ codec }) => (isBinary ? binaryForm(codec)! : codec).encode)
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
    checkRecord(record, index, columns.length)
    layout.beginRecord(out, columns.length)
    let i = 0
    try {
      for (; i < columns.length; i++) {
        const value = prepared(record[i], columns[i]!.codec)
        layout.writeValue(out, this.#encoders[i]!, value, i)
      }
    } catch (error) {
      throw cannotEncode(error, index, columns[i]!)
    }
    layout.endRecord(out)
  }
}

function checkRecord(record: unknown, index: number, columns: number): asserts record is unknown[] {
  if (!Array.isArray(record)) throw refused(`the record at index ${index} is not an array`)
  if (record.length !== columns) {
    throw refused(
      `the record at index ${index} has ${record.length} values, and there are ${columns} columns`,
    )
  }
}

function prepared(value: unknown, { prepare }: Codec): unknown {
  if (value === undefined) throw undefinedRefused()
  return value === null || prepare === undefined ? value : prepare(value)
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
