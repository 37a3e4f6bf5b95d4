import type { Measurement } from './measure.ts'
import type { Peer } from './peers/peer.ts'
import { type Plan, playRounds, ratio, summarise } from './rounds.ts'
import { milliseconds, renderTable, times, whole } from './table.ts'
import type { Client, Workload } from './workloads/workload.ts'

/** One number of callers: the rounds of each peer, in the peers' order. */
export interface Lap {
  callers: number
  rounds: Measurement[][]
}

/** Measures the peers on one workload, each with connections of its own, at each number of callers. */
export async function race(
  dsn: string,
  peers: readonly Peer[],
  workload: Workload,
  {
    callers,
    connections,
    ...plan
  }: Omit<Plan, 'callers'> & { callers: readonly number[]; connections: number },
): Promise<Lap[]> {
  const clients: Client[] = []
  try {
    for (const peer of peers) clients.push(await peer.open(dsn, connections))
    const requests = clients.map((client) => () => workload.request(client))
    const laps: Lap[] = []
    for (const count of callers) {
      laps.push({ callers: count, rounds: await playRounds(requests, { ...plan, callers: count }) })
    }
    return laps
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

/** Each figure is the median over the rounds; the ratios are to the first peer. */
export function renderRace(peers: readonly Peer[], laps: readonly Lap[]): string {
  const base = peers[0]!.name
  const table = renderTable(
    [
      { title: 'callers', align: 'right' },
      { title: 'who', align: 'left' },
      { title: 'reset', align: 'left' },
      { title: 'requests/s', align: 'right' },
      { title: 'p50 ms', align: 'right' },
      { title: 'p99 ms', align: 'right' },
      { title: 'CPU µs', align: 'right' },
      { title: 'requests/s, ratio', align: 'right' },
      { title: 'CPU, ratio', align: 'right' },
    ],
    laps.flatMap(({ callers, rounds }) =>
      peers.map(({ name, reset }, index) => {
        const own = rounds[index]!
        const { rate, p50, p99, cpu } = summarise(own)
        const ratios =
          index === 0
            ? ['', '']
            : [times(ratio('rate', own, rounds[0]!)), times(ratio('cpu', own, rounds[0]!))]
        return [
          index === 0 ? String(callers) : '',
          name,
          reset,
          whole(rate),
          milliseconds(p50),
          milliseconds(p99),
          cpu.toFixed(1),
          ...ratios,
        ]
      }),
    ),
  )
  return [
    table,
    '',
    ...(peers.length > 1 ? [`The ratios are to ${base}: the median of the rounds (lowest–highest).`] : []),
    "CPU is this process's, for one request. Reset is what is taken back of a session before its next user has it.",
    'full: an open transaction, locks, cursors, channels, settings, role, temporary tables, sequence state; none: nothing.',
  ].join('\n')
}
