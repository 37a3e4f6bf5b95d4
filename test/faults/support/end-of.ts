import { PostgresError, RockpoolError } from '../../../src/index.ts'

/** How a call ended: `done`, or the error's code, its outcome, and the SQLSTATE of it or of its cause. */
export function endOf(call: Promise<unknown>): Promise<string> {
  return call.then(() => 'done', describe)
}

function describe(error: unknown): string {
  if (!(error instanceof RockpoolError)) return error instanceof Error ? error.message : String(error)
  const code = error.code.replace('ROCKPOOL_', '')
  return [code, error.outcome, sqlState(error)].filter((part) => part !== undefined).join(' ')
}

function sqlState(error: unknown): string | undefined {
  if (error instanceof PostgresError) return error.sqlState
  return error instanceof Error ? sqlState(error.cause) : undefined
}

/** How often a write is in the ledger, given how its call ended: I5. */
export function timesWritten(end: string): readonly number[] {
  if (end === 'done' || end.includes('executed')) return [1]
  if (end.includes('unknown') || end === 'aborted') return [0, 1]
  return [0]
}
