import { limits } from '../limit/limit.ts'
import { asyncpg } from '../peers/asyncpg.ts'
import { bunSql } from '../peers/bun.ts'
import { asking } from '../peers/peer.ts'
import { pgLeases, pgNamed, pgUnnamed } from '../peers/pg.ts'
import { pgbenchPrepared } from '../peers/pgbench.ts'
import { postgresJs } from '../peers/postgres-js.ts'
import { leases, oneShots } from '../peers/rockpool.ts'
import { slonik } from '../peers/slonik.ts'
import { bun } from '../runtimes/program.ts'
import { taskById, taskByIdDescription } from '../workloads/task-by-id.ts'
import { load } from './columns.ts'
import type { Contest, FigurePlot, Goal, Setting } from './contest.ts'

const own = 'rockpool: pool.fetchRow'
const limit = limits.map(({ name }) => name)

function rateAtLeast(at: number, bound: number, of: string, base: Goal['base'], ours = own): Goal {
  return { own: ours, base: base!, of, figure: 'rate', is: 'at least', bound, at }
}

export const oneShotReads: Contest = {
  name: 'one-shots',
  title: 'A task by its primary key, by one-shots',
  notes: [
    taskByIdDescription,
    'The limit is a loop over sockets with prepared bytes, which looks at the id in the answer and makes nothing of it.',
    'pgbench, on one thread as by default, has no more callers than connections: 10, and 1 where there is 1.',
  ],
  stage: taskById,
  peers: [
    asking(taskById, oneShots(own)),
    asking(taskById, oneShots("rockpool: pool.fetchRow, reset: 'auto'", 'auto')),
    asking(taskById, { ...oneShots('rockpool on Bun: pool.fetchRow'), runtime: bun }),
    asking(taskById, pgNamed),
    asking(taskById, pgUnnamed),
    asking(taskById, postgresJs),
    asking(taskById, slonik),
    asking(taskById, bunSql),
    asyncpg,
    pgbenchPrepared,
    ...limits,
  ],
  by: 'callers',
  settings: [1, 10, 200].map((callers) => ({ callers, connections: 10 })),
  columns: load,
  compared: ['rate', 'cpu'],
  goals: [
    rateAtLeast(200, 3.5, 'pg.Pool named', pgNamed.name),
    rateAtLeast(200, 4.5, 'postgres.js', postgresJs.name),
    rateAtLeast(200, 8, 'asyncpg', asyncpg.name),
    rateAtLeast(200, 2.7, 'pgbench -M prepared -c 10', pgbenchPrepared.name),
    rateAtLeast(200, 1, 'Bun.sql', bunSql.name),
    rateAtLeast(200, 0.85, 'the limit', limit),
    {
      own,
      base: pgNamed.name,
      of: 'pg.Pool named',
      figure: 'cpu',
      is: 'at most',
      bound: 1 / 4,
      at: 200,
    },
    rateAtLeast(10, 1.15, 'pg.Pool named', pgNamed.name),
    rateAtLeast(10, 1.4, 'postgres.js', postgresJs.name),
    rateAtLeast(10, 0.9, 'the limit', limit),
    rateAtLeast(1, 1, 'pg.Pool named', pgNamed.name),
    rateAtLeast(1, 0.9, 'the limit', limit),
  ],
}

const ownLease = 'rockpool: acquire + fetchRow + release'
const autoLease = `${ownLease}, reset: 'auto'`

export const leasedReads: Contest = {
  name: 'leases',
  title: 'A task by its primary key, by leases: acquire + fetchRow + reset + release',
  notes: [taskByIdDescription],
  stage: taskById,
  peers: [
    asking(taskById, leases(ownLease)),
    asking(taskById, leases(autoLease, 'auto')),
    asking(taskById, leases(`${ownLease}, reset: 'never'`, 'never')),
    asking(taskById, pgLeases),
    asyncpg,
  ],
  by: 'callers',
  settings: [{ callers: 20, connections: 10 }],
  columns: load,
  compared: ['rate', 'cpu'],
  goals: [
    rateAtLeast(20, 1.8, 'asyncpg', asyncpg.name, ownLease),
    rateAtLeast(20, 0.8, 'pg.Pool, which resets nothing', pgLeases.name, ownLease),
    rateAtLeast(20, 1.1, 'pg.Pool, which resets nothing', pgLeases.name, autoLease),
  ],
}

const scaled = [
  asking(taskById, oneShots(own)),
  asking(taskById, leases(ownLease)),
  asking(taskById, pgNamed),
  asking(taskById, postgresJs),
]

const scaling = { stage: taskById, peers: scaled, columns: load, compared: ['rate'], goals: [] } as const

const plots = (x: keyof Setting): FigurePlot[] => [
  { figure: 'rate', name: `requests-by-${x}`, title: `Requests per second, by ${x}`, x, y: 'requests/s' },
  { figure: 'p99', name: `p99-by-${x}`, title: `Latency, 99 of 100 requests, by ${x}`, x, y: 'p99 ms' },
]

export const byCallers: Contest = {
  ...scaling,
  name: 'callers',
  title: 'A task by its primary key, by the number of callers',
  notes: [taskByIdDescription],
  by: 'callers',
  settings: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map((callers) => ({ callers, connections: 10 })),
  plots: plots('callers'),
}

export const byConnections: Contest = {
  ...scaling,
  name: 'connections',
  title: 'A task by its primary key, by the number of connections',
  notes: [taskByIdDescription],
  by: 'connections',
  settings: [1, 2, 5, 10, 20, 40].map((connections) => ({ callers: 200, connections })),
  plots: plots('connections'),
}
