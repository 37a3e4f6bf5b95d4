import type { LoadReport } from '../messages.ts'

/** Tells the main process, while it is there. */
export function tell(report: LoadReport): void {
  if (process.connected) process.send!(report)
}

export function violate(rule: string, what: string): void {
  tell({ kind: 'violation', rule, what })
}
