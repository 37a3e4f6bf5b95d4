import { ConnectionLostError, DataError } from '../errors.ts'
import { int32At } from './big-endian.ts'
import { type Codec, Refusal } from './codecs/codec.ts'
import { brokenProtocol } from './frame-reader.ts'

export type RowMode = 'object' | 'array'

/** A plain object by column name (of two columns of one name the last), or the values in the columns' order. */
export type Row = Record<string, unknown> | unknown[]

/**
 * Makes a row of a DataRow's body, bytes[start, end).
 *
 * @throws DataError with the outcome `'executed'`, naming the column, where JavaScript has no such value: the
 * connection is sound. ConnectionLostError where the body is not what its counts and lengths say: it is not.
 */
export type RowReader = (bytes: Buffer, start: number, end: number) => Row

/** What a reader, generated or not, is made of. The arrays are of one length. */
export interface RowPlan {
  readonly names: readonly string[]
  readonly codecs: readonly Codec[]
  readonly rowMode: RowMode
}

/** Checks the Int16 that every DataRow starts with; returns where the first column lies. */
export function firstColumn(bytes: Buffer, start: number, end: number, count: number): number {
  if (end - start < 2) throw brokenProtocol('a row has no number of columns')
  const claimed = (bytes[start]! << 8) | bytes[start + 1]!
  if (claimed !== count) throw brokenProtocol(`a row of ${count} columns has ${claimed}`)
  return start + 2
}

/** The Int32 at `at`: a length that lies within the row, or -1 for NULL. */
export function valueLength(bytes: Buffer, at: number, end: number): number {
  if (at + 4 > end) throw brokenProtocol('a row ends before its columns do')
  const length = int32At(bytes, at)
  if (length < -1 || length > end - at - 4) throw brokenProtocol(`a value in a row has the length ${length}`)
  return length
}

export function checkEnd(at: number, end: number): void {
  if (at !== end) throw brokenProtocol('a row has bytes after its last column')
}

/** The error for a value that could not be decoded; one about the protocol stays what it is. */
export function cannotDecode(error: unknown, plan: RowPlan, index: number): Error {
  if (error instanceof ConnectionLostError) return error
  const column = `cannot decode column ${JSON.stringify(plan.names[index])}`
  const type = plan.codecs[index]!.name
  return error instanceof Refusal
    ? new DataError(`${column}${error.place} (${type}): ${error.message}`, {
        outcome: 'executed',
        ...('cause' in error && { cause: error.cause }),
      })
    : new DataError(`${column} (${type}): see cause`, { outcome: 'executed', cause: error })
}
