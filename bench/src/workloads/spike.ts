import type { Stage } from './workload.ts'

/** Nothing: the statement only takes its time. */
export const spikeStage: Stage = { create: async () => {} }

export const spikeSettings = { callers: 50, warm: 5, connections: 20, connectLatency: 150 }

/** A statement of 2 ms. */
export const twoMilliseconds = 'select $1::int as number, pg_sleep(0.002)'

/** @throws Error where it is another request's answer. */
export function checkNumber(number: number, row: unknown): void {
  const got = (row as { number: unknown } | null | undefined)?.number
  if (got !== number) throw new Error(`asked for ${number}, the answer was ${JSON.stringify(row)}`)
}
