import type { Codec } from './codecs/codec.ts'
import { nameValues } from './codecs/named-values.ts'
import type { FieldDescription } from './messages.ts'
import {
  cannotDecode,
  checkEnd,
  firstColumn,
  type Row,
  type RowMode,
  type RowPlan,
  type RowReader,
  valueLength,
} from './row-body.ts'
import { generateReader } from './row-source.ts'

export type { Row, RowMode, RowReader }

/** No row of PostgreSQL's has more columns (MaxTupleAttributeNumber). The source for many more takes seconds to compile. */
const mostGenerated = 1664

/**
 * The reader for the rows of one statement: generated for its columns where code generation from strings is
 * allowed, and one that loops over them, with the same results, where it is forbidden or there are too many.
 */
export function compileRowReader(
  fields: readonly FieldDescription[],
  codecs: readonly Codec[],
  rowMode: RowMode,
): RowReader {
  const plan = { names: fields.map((field) => field.name), codecs, rowMode }
  if (codecs.length > mostGenerated) return loopingReader(plan)
  try {
    return generateReader(plan)
  } catch (error) {
    if (error instanceof EvalError) return loopingReader(plan)
    throw error
  }
}

/** The reader for where no code is generated. */
export function loopingReader(plan: RowPlan): RowReader {
  const { names, codecs, rowMode } = plan
  const count = codecs.length
  return (bytes, start, end) => {
    const values = new Array<unknown>(count)
    let at = firstColumn(bytes, start, end, count)
    for (let i = 0; i < count; i++) {
      const length = valueLength(bytes, at, end)
      at += 4
      if (length < 0) values[i] = null
      else {
        try {
          values[i] = codecs[i]!.decode(bytes, at, at + length)
        } catch (error) {
          throw cannotDecode(error, plan, i)
        }
        at += length
      }
    }
    checkEnd(at, end)
    return rowMode === 'array' ? values : nameValues(names, values)
  }
}
