import { InterfaceError } from '../errors.ts'
import { Frontend } from './messages.ts'
import type { OutBuffer } from './out-buffer.ts'

// The messages of the extended and the simple query protocol. "Message Flow" (protocol-flow).

/** @throws InterfaceError where the text has a zero character, which the protocol cannot carry. */
export function refuseNul(what: string, text: string): void {
  if (text.includes('\0')) {
    throw new InterfaceError(`${what} has a zero character (\\0), which PostgreSQL text cannot have`, {
      outcome: 'not-sent',
    })
  }
}

export function writeParse(out: OutBuffer, name: string, sql: string): void {
  refuseNul('the statement', sql)
  const length = out.beginMessage(Frontend.Parse)
  out.cstring(name)
  out.cstring(sql)
  out.int16(0)
  out.endMessage(length)
}

export function writeDescribeStatement(out: OutBuffer, name: string): void {
  const length = out.beginMessage(Frontend.Describe)
  out.int8(0x53)
  out.cstring(name)
  out.endMessage(length)
}

export function writeCloseStatement(out: OutBuffer, name: string): void {
  const length = out.beginMessage(Frontend.Close)
  out.int8(0x53)
  out.cstring(name)
  out.endMessage(length)
}

export function writeClosePortal(out: OutBuffer, name: string): void {
  const length = out.beginMessage(Frontend.Close)
  out.int8(0x50)
  out.cstring(name)
  out.endMessage(length)
}

/** Runs a portal, the unnamed one where no name is given. `maxRows` 0: all rows. */
export function writeExecute(out: OutBuffer, maxRows: number, portal = ''): void {
  const length = out.beginMessage(Frontend.Execute)
  out.cstring(portal)
  out.int32(maxRows)
  out.endMessage(length)
}

/** Asks for what the server has to say so far, without ending the transaction that a Sync would end. */
export function writeFlush(out: OutBuffer): void {
  out.endMessage(out.beginMessage(Frontend.Flush))
}

export function writeSync(out: OutBuffer): void {
  out.endMessage(out.beginMessage(Frontend.Sync))
}

export function writeQuery(out: OutBuffer, sql: string): void {
  refuseNul('the statement', sql)
  const length = out.beginMessage(Frontend.Query)
  out.cstring(sql)
  out.endMessage(length)
}

export function writeCopyDone(out: OutBuffer): void {
  out.endMessage(out.beginMessage(Frontend.CopyDone))
}

export function writeCopyFail(out: OutBuffer, reason: string): void {
  const length = out.beginMessage(Frontend.CopyFail)
  out.cstring(reason)
  out.endMessage(length)
}
