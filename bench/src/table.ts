import type { Ratio } from './rounds.ts'

export interface Column {
  title: string
  /** Where the cells stand in their column. */
  align: 'left' | 'right'
}

/** The table as lines of text. A rule sets each row whose first cell is filled apart from those above it. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]!.length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) =>
        columns[index]!.align === 'left' ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!),
      )
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  const body = rows.flatMap((row) => (row[0] === '' ? [line(row)] : [rule, line(row)]))
  return [line(columns.map(({ title }) => title)), ...body].join('\n')
}

/** A whole number with its thousands set apart: `12,345`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function milliseconds(value: number): string {
  return value.toFixed(2)
}

/** `2.1× (1.9–2.4)`: the median, the lowest and the highest. */
export function times({ median, low, high }: Ratio): string {
  return `${quotient(median)}× (${quotient(low)}–${quotient(high)})`
}

function quotient(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1)
}
