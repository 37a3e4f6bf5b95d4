import { asyncpg } from '../peers/asyncpg.ts'
import { bunSql } from '../peers/bun.ts'
import { asking } from '../peers/peer.ts'
import { pgCopy, pgInserts, pgNamed, pgUnnest } from '../peers/pg.ts'
import { postgresJs } from '../peers/postgres-js.ts'
import { bulk, oneShots } from '../peers/rockpool.ts'
import { copyingIn, copyingOut, copyingRecords } from '../workloads/copying.ts'
import { insertingMany } from '../workloads/many-inserts.ts'
import { thousandRows } from '../workloads/thousand-rows.ts'
import { load } from './columns.ts'
import type { Contest, FigureColumn, Goal } from './contest.ts'

const fetching = 'rockpool: pool.fetch'

const cpuAtMost = (bound: number, of: string, base: string): Goal[] =>
  [1, 10].map((at) => ({ own: fetching, base, of, figure: 'cpu', is: 'at most', bound, at }))

export const manyRows: Contest = {
  name: 'rows',
  title: '1,000 rows of 4 columns',
  notes: ['select id, title, done, created_at from tasks: bigint, text, boolean, timestamptz'],
  stage: thousandRows,
  peers: [
    asking(thousandRows, oneShots(fetching)),
    asking(thousandRows, pgNamed),
    asking(thousandRows, postgresJs),
    asking(thousandRows, bunSql),
    asyncpg,
  ],
  by: 'callers',
  settings: [1, 10].map((callers) => ({ callers, connections: 10 })),
  columns: load,
  compared: ['rate', 'cpu'],
  goals: [
    ...cpuAtMost(1 / 5, 'pg', pgNamed.name),
    ...cpuAtMost(1 / 4, 'postgres.js', postgresJs.name),
    ...cpuAtMost(1 / 2, 'asyncpg', asyncpg.name),
    ...cpuAtMost(1.1, 'Bun.sql', bunSql.name),
  ],
}

const perSecond: FigureColumn = { title: 'times/s', figure: 'rate', render: (value) => value.toFixed(2) }
const time: FigureColumn = { title: 'ms', figure: 'p50', render: (value) => value.toFixed(1) }
const cpu: FigureColumn = { title: 'CPU ms', figure: 'cpu', render: (value) => (value / 1_000).toFixed(1) }

const alone = {
  by: 'callers',
  settings: [{ callers: 1, connections: 1 }],
  columns: [perSecond, time, cpu],
  compared: ['rate', 'cpu'],
} as const

const fasterThan = (...bases: readonly string[]): Goal[] =>
  bases.map((base) => ({ own: bulk.name, base, of: base, figure: 'rate', is: 'at least', bound: 1 }))

export const executeMany: Contest = {
  ...alone,
  name: 'executeMany',
  title: 'executeMany: 10,000 rows of 4 columns',
  notes: [
    'One transaction; the table is unlogged and has no index. postgres.js: its helper for several rows.',
  ],
  stage: insertingMany,
  peers: [
    asking(insertingMany, bulk),
    asking(insertingMany, pgInserts),
    asking(insertingMany, pgUnnest),
    asking(insertingMany, postgresJs),
    asyncpg,
  ],
  goals: fasterThan(pgInserts.name, postgresJs.name, asyncpg.name),
}

const copyGoals = fasterThan(pgCopy.name, postgresJs.name, asyncpg.name)

export const copyIn: Contest = {
  ...alone,
  name: 'copy in',
  title: 'COPY in: 1,000,000 rows of 4 columns that are text already',
  notes: ['Chunks of 64 KiB from memory; the table is unlogged and has no index.'],
  stage: copyingIn,
  peers: [asking(copyingIn, bulk), asking(copyingIn, pgCopy), asking(copyingIn, postgresJs), asyncpg],
  goals: copyGoals,
}

export const copyRecords: Contest = {
  ...alone,
  name: 'copy records',
  title: 'COPY in: 1,000,000 records of 4 values',
  notes: ['For pg and postgres.js, which take bytes only, the program writes the lines itself.'],
  stage: copyingRecords,
  peers: [
    asking(copyingRecords, bulk),
    asking(copyingRecords, pgCopy),
    asking(copyingRecords, postgresJs),
    asyncpg,
  ],
  goals: copyGoals,
}

export const copyOut: Contest = {
  ...alone,
  name: 'copy out',
  title: 'COPY out: 1,000,000 rows of 4 columns as text',
  notes: ['The lines are counted.'],
  stage: copyingOut,
  peers: [asking(copyingOut, bulk), asking(copyingOut, pgCopy), asking(copyingOut, postgresJs), asyncpg],
  goals: copyGoals,
}
