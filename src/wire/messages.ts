import type { PostgresReport } from '../errors.ts'
import { brokenProtocol, describeType } from './frame-reader.ts'

const code = (letter: string) => letter.charCodeAt(0)

/** Message types from the server. "Message Formats" (protocol-message-formats). */
export const Backend = {
  Authentication: code('R'),
  BackendKeyData: code('K'),
  BindComplete: code('2'),
  CloseComplete: code('3'),
  CommandComplete: code('C'),
  CopyBothResponse: code('W'),
  CopyData: code('d'),
  CopyDone: code('c'),
  CopyInResponse: code('G'),
  CopyOutResponse: code('H'),
  DataRow: code('D'),
  EmptyQueryResponse: code('I'),
  ErrorResponse: code('E'),
  NegotiateProtocolVersion: code('v'),
  NoData: code('n'),
  NoticeResponse: code('N'),
  NotificationResponse: code('A'),
  ParameterDescription: code('t'),
  ParameterStatus: code('S'),
  ParseComplete: code('1'),
  PortalSuspended: code('s'),
  ReadyForQuery: code('Z'),
  RowDescription: code('T'),
} as const

/** Message types to the server. */
export const Frontend = {
  Bind: code('B'),
  Close: code('C'),
  CopyData: code('d'),
  CopyDone: code('c'),
  CopyFail: code('f'),
  Describe: code('D'),
  Execute: code('E'),
  Flush: code('H'),
  Parse: code('P'),
  Password: code('p'),
  Query: code('Q'),
  Sync: code('S'),
  Terminate: code('X'),
} as const

/** Where the server stands after a ReadyForQuery: idle, in a transaction block, in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E'

/** Reads a message's body within its bounds: reading past them is a broken protocol, never another message's bytes. */
export class BodyReader {
  readonly #bytes: Buffer
  #at: number
  readonly #end: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  get remaining(): number {
    return this.#end - this.#at
  }

  #advance(bytes: number): number {
    const at = this.#at
    if (bytes < 0 || at + bytes > this.#end) throw brokenProtocol('a message ends before its fields do')
    this.#at = at + bytes
    return at
  }

  byte(): number {
    return this.#bytes[this.#advance(1)]!
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2))
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4))
  }

  cstring(): string {
    const zero = this.#bytes.indexOf(0, this.#at)
    if (zero < 0 || zero >= this.#end) throw brokenProtocol('a string has no end')
    const text = this.#bytes.toString('utf8', this.#at, zero)
    this.#at = zero + 1
    return text
  }

  /** The next bytes, copied: they outlive the chunk. Not out of Node's pool, of which few that stay would keep much. */
  bytes(length: number = this.remaining): Buffer {
    const at = this.#advance(length)
    const copy = Buffer.alloc(length)
    this.#bytes.copy(copy, 0, at, at + length)
    return copy
  }
}

export interface FieldDescription {
  name: string
  tableOid: number
  tableColumn: number
  typeOid: number
  typeSize: number
  typeModifier: number
}

export function readRowDescription(body: BodyReader): FieldDescription[] {
  const fields = new Array<FieldDescription>(body.uint16())
  for (let i = 0; i < fields.length; i++) {
    fields[i] = {
      name: body.cstring(),
      tableOid: body.uint32(),
      tableColumn: body.int16(),
      typeOid: body.uint32(),
      typeSize: body.int16(),
      typeModifier: body.int32(),
    }
    body.int16()
  }
  return fields
}

/** Reads the tags of CommandComplete messages, of which there are few different ones. */
export class TagReader {
  /** The last of each length. */
  readonly #known: string[] = []

  read(bytes: Buffer, start: number, end: number): string {
    const length = end - start - 1
    const known = this.#known[length]
    if (known !== undefined && isText(known, bytes, start, end)) return known
    const tag = new BodyReader(bytes, start, end).cstring()
    if (length < longestKept) this.#known[length] = tag
    return tag
  }
}

/** No tag of PostgreSQL's own is longer. */
const longestKept = 64

/** Whether bytes[start, end) are the characters of `text`, all of them ASCII, and the zero behind. */
function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (bytes[end - 1] !== 0 || text.length !== end - start - 1) return false
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i)
    if (bytes[start + i] !== character || character > 0x7f) return false
  }
  return true
}

export function readParameterDescription(body: BodyReader): number[] {
  const oids = new Array<number>(body.uint16())
  for (let i = 0; i < oids.length; i++) oids[i] = body.uint32()
  return oids
}

/** The status byte of a ReadyForQuery. */
export function transactionStatus(byte: number): TransactionStatus {
  if (byte === 0x49) return 'I'
  if (byte === 0x54) return 'T'
  if (byte === 0x45) return 'E'
  throw brokenProtocol(`ReadyForQuery says ${describeType(byte)}`)
}

/** The letter of each field of a report, and its name here. "Error and Notice Message Fields" (protocol-error-fields). */
const reportFields: Record<string, Exclude<keyof PostgresReport, 'position' | 'internalPosition'>> = {
  V: 'severity',
  C: 'sqlState',
  M: 'message',
  D: 'detail',
  H: 'hint',
  q: 'internalQuery',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  d: 'dataType',
  n: 'constraint',
  F: 'file',
  L: 'line',
  R: 'routine',
}

/** Reads the body of an ErrorResponse or NoticeResponse. */
export function readReport(body: BodyReader): PostgresReport {
  const report: PostgresReport = {
    severity: 'ERROR',
    sqlState: 'XX000',
    message: 'the server gave no message',
  }
  for (let letter = body.byte(); letter !== 0; letter = body.byte()) {
    const text = body.cstring()
    const key = String.fromCharCode(letter)
    if (key === 'P') report.position = Number(text)
    else if (key === 'p') report.internalPosition = Number(text)
    else {
      const name = reportFields[key]
      if (name !== undefined) report[name] = text
    }
  }
  return report
}
