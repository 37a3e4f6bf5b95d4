import { now } from '../clock.ts'
import type { LoadReport, Violation } from '../messages.ts'

/** Tells the main process, while it is there. */
export function tell(report: LoadReport): void {
  if (process.connected) process.send!(report)
}

export function violate(rule: Violation['rule'], what: string): void {
  tell({ kind: 'violation', violation: { rule, at: now(), what } })
}
