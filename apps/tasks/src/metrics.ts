import type { PoolStats } from 'rockpool'

type Kind = 'gauge' | 'counter'
type Sample = readonly [labels: string, value: number]

const states = [
  'idle',
  'leased',
  'connecting',
  'checking',
  'preparing',
  'resetting',
  'closing',
  'free',
] as const satisfies readonly (keyof PoolStats)[]

/** The pool's state and totals in Prometheus's text format 0.0.4. */
export function metricsText(stats: PoolStats): string {
  const { totals } = stats
  return [
    family(
      'gauge',
      'rockpool_slots',
      'Places for connections, by what becomes of them now.',
      states.map((state) => [`{state="${state}"}`, stats[state]]),
    ),
    family('gauge', 'rockpool_connections', 'Open connections.', [['', stats.size]]),
    family('gauge', 'rockpool_connections_min', 'Connections kept open.', [['', stats.minSize]]),
    family('gauge', 'rockpool_connections_max', 'Connections at most.', [['', stats.maxSize]]),
    family('gauge', 'rockpool_waiting', 'Callers that wait for a connection.', [['', stats.waiting]]),
    family('gauge', 'rockpool_longest_held_seconds', 'For how long the oldest hand-out lasts.', [
      ['', stats.longestHeld / 1_000],
    ]),
    family('counter', 'rockpool_acquired_total', 'Connections handed out.', [['', totals.acquired]]),
    family('counter', 'rockpool_timed_out_total', 'Callers whose time ran out.', [['', totals.timedOut]]),
    family('counter', 'rockpool_overloaded_total', 'Callers refused as too many waited.', [
      ['', totals.overloaded],
    ]),
    family('counter', 'rockpool_opened_total', 'Connections opened.', [['', totals.opened]]),
    family('counter', 'rockpool_connect_failures_total', 'Attempts to connect that failed.', [
      ['', totals.connectFailures],
    ]),
    family(
      'counter',
      'rockpool_closed_total',
      'Connections closed, by reason.',
      Object.entries(totals.closed).map(([reason, count]) => [`{reason="${reason}"}`, count]),
    ),
  ].join('')
}

function family(kind: Kind, name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`
}
