import { type Load, measure } from '../measure.ts'
import type { Figures } from '../rounds.ts'
import { node, type Program } from '../runtimes/program.ts'
import type { Client, Workload } from '../workloads/workload.ts'

/** Where a peer works. */
export interface Place {
  /** With its password: not for output. */
  dsn: string
  /** Where the tables are. */
  schema: string
  /** How many it may open. */
  connections: number
}

/** Who takes part, in one way of using it: a line of the table. Each is measured in a process of its own. */
export interface Peer {
  readonly name: string
  /** What is taken back of a session before its next user has it. */
  readonly reset: Reset
  /** Its package, for its version. */
  readonly library?: string | undefined
  /** What its process runs on. */
  readonly runtime: Program
  /** What must be installed beside it. */
  readonly needs?: Program
  /** Measures it once: opens it, puts the load on it, closes it. Where it is missing, the runtime's own script does. */
  readonly lap?: (place: Place, load: Load) => Promise<Figures>
}

export type Reset = 'full' | 'auto' | 'partial' | 'none'

/** A library in one way of using it. */
export interface Usage<C extends Client> extends Pick<Peer, 'name' | 'reset' | 'library'> {
  runtime?: Program
  open(dsn: string, connections: number): Promise<C>
}

/** A library that is given one request after the other by each caller. */
export function asking<C extends Client>(workload: Workload<C>, usage: Usage<C>): Peer {
  const { name, reset, library, runtime = node } = usage
  return {
    ...{ name, reset, library, runtime },
    async lap({ dsn, schema, connections }, load) {
      const client = await usage.open(dsn, connections)
      try {
        const requests = workload.requests(client, schema)
        const { warmUp } = workload
        if (warmUp > 0) await measure(requests, { ...load, seconds: Math.min(warmUp, load.seconds) })
        return await measure(requests, load)
      } finally {
        await client.close()
      }
    },
  }
}
