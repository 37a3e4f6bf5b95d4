import { type Load, Meter } from '../measure.ts'
import type { Peer, Place } from '../peers/peer.ts'
import type { Figures } from '../rounds.ts'
import { node } from '../runtimes/program.ts'
import { idOf, taskByIdStatement } from '../workloads/task-by-id.ts'
import { type Asker, RawConnection } from './raw-connection.ts'

/** How many connections the callers are spread over; the best of them is the limit. */
const ways = [1, 2, 4, 10]

/** What a loop over sockets reaches that does nothing but read tasks by their ids. */
export const limits: readonly Peer[] = ways.map((connections) => ({
  name: `the limit: ${connections} ${connections === 1 ? 'socket' : 'sockets'}`,
  reset: 'none',
  runtime: node,
  // A connection without a caller would be none: there is nothing to measure then.
  lap: async (place, load) => (connections > load.callers ? {} : lap({ ...place, connections }, load)),
}))

const warmUpSeconds = 0.3

async function lap({ dsn, schema, connections }: Place, load: Load): Promise<Figures> {
  const { text } = taskByIdStatement(schema)
  const raw: RawConnection[] = []
  try {
    for (let index = 0; index < connections; index++) {
      const share = Math.floor(load.callers / connections) + (index < load.callers % connections ? 1 : 0)
      raw.push(await RawConnection.open(dsn, text, share))
    }
    await run(raw, Math.min(warmUpSeconds, load.seconds))
    return await run(raw, load.seconds)
  } finally {
    await Promise.all(raw.map((connection) => connection.close()))
  }
}

async function run(connections: readonly RawConnection[], seconds: number): Promise<Figures> {
  const meter = new Meter()
  const end = performance.now() + seconds * 1_000
  let asked = 0
  let over = false
  const asker: Asker = {
    next: () => (over ? 0 : idOf(asked++)),
    answered(id, got, begun, now) {
      if (got !== id) throw new Error(`asked for task ${id}, the answer was ${got}`)
      meter.count(now - begun)
      over = now >= end
    },
  }
  await Promise.all(connections.map((connection) => connection.run(asker)))
  return meter.stop()
}
