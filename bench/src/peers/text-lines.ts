import { textLine } from '../workloads/copying.ts'
import type { TaskRecord } from '../workloads/many-inserts.ts'

const linesAtOnce = 500

/** Records as COPY's text format has them, for the libraries that take bytes only: many lines a chunk. */
export function* textOf(records: Iterable<TaskRecord>): Iterable<string> {
  let lines: string[] = []
  for (const record of records) {
    lines.push(textLine(record))
    if (lines.length < linesAtOnce) continue
    yield lines.join('')
    lines = []
  }
  yield lines.join('')
}
