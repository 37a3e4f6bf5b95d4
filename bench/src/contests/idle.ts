import { fewer, idlePeers } from '../peers/idle.ts'
import type { Figure } from '../rounds.ts'
import { whole } from '../table.ts'
import { taskById } from '../workloads/task-by-id.ts'
import type { Contest, Goal } from './contest.ts'

const connections = 150

const atMostPgs = (figure: Figure): Goal => ({
  own: idlePeers[0]!.name,
  base: idlePeers[1]!.name,
  of: 'pg.Pool',
  figure,
  is: 'at most',
  bound: 1,
})

export const idle: Contest = {
  name: 'memory',
  title: 'The memory of an idle connection',
  notes: [
    `What ${connections} connections take more than ${fewer}, for each: bytes of the heap and of buffers, and of the process.`,
    'The code that the runtime compiles for the first of them is in neither.',
    'Each has run one statement.',
  ],
  stage: taskById,
  // Memory that was let go of once does not count when it is taken again.
  freshProcesses: true,
  peers: idlePeers,
  by: 'connections',
  settings: [{ callers: 1, connections }],
  columns: [
    { title: 'heap + buffers, bytes', figure: 'heap', render: whole },
    { title: 'process, bytes', figure: 'resident', render: whole },
  ],
  compared: ['heap', 'resident'],
  goals: [atMostPgs('heap'), atMostPgs('resident')],
}
