import type { Client } from '../workloads/workload.ts'

/** A client library in one way of using it: a line of the table. */
export interface Peer {
  name: string
  /** What is taken back of a session before its next user has it: `'full'`, `'none'`. */
  reset: string
  /** Opens `connections` at most. */
  open(dsn: string, connections: number): Promise<Client>
}
