import { createPool } from 'rockpool'
import { Gate } from './gate.ts'
import { type Load, type Measurement, measure } from './measure.ts'
import { leasing } from './peers/rockpool.ts'
import { type Plan, playRounds, type Ratio, ratio, summarise } from './rounds.ts'
import { freeConnections, once } from './server.ts'
import { staged } from './staged.ts'
import { milliseconds, renderTable, times, whole } from './table.ts'
import { type RowClient, taskById, taskByIdDescription } from './workloads/task-by-id.ts'

/** How one number of callers fared. */
export interface Comparison {
  callers: number
  withoutPool: Measurement
  withPool: Measurement
  /** How many times the requests per second the pool gives. */
  gain: Ratio
}

export interface ComparisonReport {
  comparisons: Comparison[]
  /** The answers that were checked; a wrong one would have ended the run. */
  checked: number
  /** The most connections that the side without a pool had open at once. */
  connectLimit: number
  workload: string
}

/** The settings of the seed's service. */
const seed = {
  minSize: 10,
  maxSize: 20,
  commandTimeout: '60s',
  maxQueries: 50_000,
  maxInactiveConnectionLifetime: '300s',
}

/** Left to other users of the server. */
const spareConnections = 5

/**
 * The seed's comparison: the same request by a connection of its own, opened and closed for it, and by the pool.
 *
 * @throws Error where the server has no room for the pool and one connection beside it, or an answer is wrong;
 * whatever a request rejects with.
 */
export async function compare(
  dsn: string,
  { callers, ...plan }: Omit<Plan, 'callers'> & { callers: readonly number[] },
): Promise<ComparisonReport> {
  const connectLimit = (await freeConnections(dsn)) - seed.maxSize - spareConnections
  if (connectLimit < 1) {
    throw new Error(
      `the server has no room for the pool's ${seed.maxSize} connections, one beside them and ` +
        `${spareConnections} to spare: raise max_connections, or end other sessions`,
    )
  }
  return staged(dsn, taskById, async (_, schema) => {
    const pool = leasing(await createPool(dsn, seed))
    try {
      const entrants = [connecting(dsn, new Gate(connectLimit)), pool].map((client) => {
        const requests = taskById.requests(client, schema)
        return (load: Load) => measure(requests, load)
      })
      const comparisons: Comparison[] = []
      for (const count of callers) {
        const [without, pooled] = await playRounds(entrants, { ...plan, callers: count })
        comparisons.push({
          callers: count,
          withoutPool: summarise(without!),
          withPool: summarise(pooled!),
          gain: ratio('rate', pooled!, without!),
        })
      }
      const sides = comparisons.flatMap(({ withoutPool, withPool }) => [withoutPool, withPool])
      const checked = sides.reduce((sum, { requests }) => sum + requests, 0)
      return { comparisons, checked, connectLimit, workload: taskByIdDescription }
    } finally {
      await pool.close()
    }
  })
}

/** Opens a connection for each request and closes it again; the wait at the gate is part of the request. */
function connecting(dsn: string, gate: Gate): RowClient {
  return {
    fetchRow: ({ text }, args) =>
      gate.through(() => once(dsn, (connection) => connection.fetchRow(text, args))),
    close: async () => {},
  }
}

/** Each figure is the median over the rounds. */
export function renderComparison({ comparisons }: ComparisonReport): string {
  const figures = ({ rate, p50, p99 }: Measurement) => [whole(rate), milliseconds(p50), milliseconds(p99)]
  return renderTable(
    [
      { title: 'callers', align: 'right' },
      { title: 'by', align: 'left' },
      { title: 'requests/s', align: 'right' },
      { title: 'p50 ms', align: 'right' },
      { title: 'p99 ms', align: 'right' },
      { title: 'gain (lowest–highest round)', align: 'right' },
    ],
    comparisons.flatMap(({ callers, withoutPool, withPool, gain }) => [
      [String(callers), 'a connection for each request', ...figures(withoutPool), ''],
      ['', `the pool (${seed.minSize} to ${seed.maxSize})`, ...figures(withPool), times(gain)],
    ]),
  )
}
