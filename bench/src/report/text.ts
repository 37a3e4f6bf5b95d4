import { renderTable } from '../table.ts'
import type { Finding } from '../topic.ts'

/** A finding for a terminal. */
export function asText({ title, notes, tables, targets, absent }: Finding): string {
  const parts = [
    `${title}\n${'='.repeat(title.length)}`,
    ...tables.map(({ caption, columns, rows }) =>
      [...(caption === undefined ? [] : [caption]), renderTable(columns, rows)].join('\n'),
    ),
    notes.join('\n'),
    targets
      .map(
        ({ what, wanted, measured, met }) =>
          `${met ? 'met     ' : 'NOT MET '} ${what}: ${measured}, wanted ${wanted}`,
      )
      .join('\n'),
    absent.map(({ name, install }) => `absent: ${name}; ${install} installs it`).join('\n'),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}
