import { type Connection, createPool } from 'rockpool'
import type { Figures } from '../rounds.ts'
import { node } from '../runtimes/program.ts'
import { taskByIdStatement } from '../workloads/task-by-id.ts'
import type { Client, Statement } from '../workloads/workload.ts'
import type { Peer, Usage } from './peer.ts'
import { openPool } from './pg.ts'

interface Idle extends Client {
  /** Opens all connections, runs the statement on each of them, and gives all back. */
  useAll(statement: Statement): Promise<void>
}

const rockpool: Usage<Idle> = {
  name: 'rockpool',
  reset: 'full',
  async open(dsn, connections) {
    const pool = await createPool(dsn, { minSize: connections, maxSize: connections })
    return {
      async useAll({ text }) {
        const all: Connection[] = await Promise.all(Array.from({ length: connections }, () => pool.acquire()))
        await Promise.all(all.map((connection) => connection.fetchRow(text, [1])))
        await Promise.all(all.map((connection) => connection.release()))
      },
      close: () => pool.close(),
    }
  },
}

const pg: Usage<Idle> = {
  name: 'pg.Pool',
  reset: 'none',
  async open(dsn, connections) {
    const pool = openPool(dsn, connections)
    return {
      async useAll({ name, text }) {
        const all = await Promise.all(Array.from({ length: connections }, () => pool.connect()))
        await Promise.all(all.map((client) => client.query({ name, text, values: [1] })))
        for (const client of all) client.release()
      },
      close: () => pool.end(),
    }
  },
}

/** Enough of them that what the runtime compiles once it is worth it is compiled, and not taken for a connection's. */
export const fewer = 50

/** The memory of many idle connections, less that of a few: what the library itself takes is in both. */
function weighing({ name, reset, open }: Usage<Idle>): Peer {
  const weigh = async (dsn: string, schema: string, connections: number) => {
    const client = await open(dsn, connections)
    try {
      await client.useAll(taskByIdStatement(schema))
      return await memory()
    } finally {
      await client.close()
    }
  }
  return {
    name,
    reset,
    runtime: node,
    async lap({ dsn, schema, connections }): Promise<Figures> {
      const few = await weigh(dsn, schema, fewer)
      const many = await weigh(dsn, schema, connections)
      const each = (now: number, before: number) => (now - before) / (connections - fewer)
      return {
        requests: connections,
        heap: each(many.heap, few.heap),
        resident: each(many.resident, few.resident),
      }
    },
  }
}

async function memory(): Promise<{ heap: number; resident: number }> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('the memory is measured with node --expose-gc')
  // What ended a moment ago is let go of at the end of the turn.
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate)
    gc()
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}

export const idlePeers: readonly Peer[] = [rockpool, pg].map(weighing)
