import { copyIn, copyOut, copyRecords, executeMany, manyRows } from './bulk.ts'
import { connecting } from './connecting.ts'
import type { Contest } from './contest.ts'
import { idle } from './idle.ts'
import { spike } from './spike.ts'
import { byCallers, byConnections, leasedReads, oneShotReads } from './task-by-id.ts'

/** Every contest of client libraries, in the order of the report. */
export const contests: readonly Contest[] = [
  oneShotReads,
  leasedReads,
  manyRows,
  executeMany,
  copyIn,
  copyRecords,
  copyOut,
  connecting,
  spike,
  idle,
  byCallers,
  byConnections,
]
