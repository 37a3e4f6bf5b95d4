import { asyncpg, asyncpgConnecting } from '../peers/asyncpg.ts'
import { pgConnecting, rockpoolConnecting } from '../peers/connecting.ts'
import { asking } from '../peers/peer.ts'
import { leases } from '../peers/rockpool.ts'
import { taskById, taskByIdDescription } from '../workloads/task-by-id.ts'
import { load } from './columns.ts'
import type { Contest } from './contest.ts'

const pooled = leases('rockpool: acquire + fetchRow + release')
const connections = 10

export const connecting: Contest = {
  name: 'connecting',
  title: 'With the pool, and with a connection for each request',
  notes: [taskByIdDescription, 'The seed claims 5–10× with its pool.'],
  stage: taskById,
  peers: [
    asking(taskById, pooled),
    asking(taskById, rockpoolConnecting),
    asking(taskById, pgConnecting),
    asyncpg,
    asyncpgConnecting,
  ],
  by: 'callers',
  settings: [1, 20].map((callers) => ({ callers, connections })),
  columns: load,
  compared: ['rate'],
  goals: [
    {
      own: pooled.name,
      base: rockpoolConnecting.name,
      of: 'a connection for each request',
      figure: 'rate',
      is: 'at least',
      bound: 30,
      at: 20,
    },
  ],
}
