import { createPool } from 'rockpool'
import type { Load } from '../measure.ts'
import type { Figures } from '../rounds.ts'
import { node } from '../runtimes/program.ts'
import { percentile } from '../statistics.ts'
import { checkNumber, spikeSettings, twoMilliseconds } from '../workloads/spike.ts'
import type { Client } from '../workloads/workload.ts'
import type { Peer, Usage } from './peer.ts'
import { openPool } from './pg.ts'
import { openSql } from './postgres-js.ts'

interface Warm extends Client {
  ask(number: number): Promise<unknown>
}

const { warm } = spikeSettings

const ownWays: Usage<Warm>[] = [true, false].map((shareOneShots) => ({
  name: shareOneShots ? 'rockpool: pool.fetchRow' : 'rockpool: pool.fetchRow, shareOneShots: false',
  reset: 'full',
  async open(dsn, connections) {
    const pool = await createPool(dsn, { minSize: warm, maxSize: connections, shareOneShots })
    return { ask: (number) => pool.fetchRow(twoMilliseconds, [number]), close: () => pool.close() }
  },
}))

const leased: Usage<Warm> = {
  name: 'rockpool: pool.use',
  reset: 'full',
  async open(dsn, connections) {
    const pool = await createPool(dsn, { minSize: warm, maxSize: connections })
    return {
      ask: (number) => pool.use((connection) => connection.fetchRow(twoMilliseconds, [number])),
      close: () => pool.close(),
    }
  },
}

const pgPool: Usage<Warm> = {
  name: 'pg.Pool',
  reset: 'none',
  async open(dsn, connections) {
    const pool = openPool(dsn, connections)
    const clients = await Promise.all(Array.from({ length: warm }, () => pool.connect()))
    for (const client of clients) client.release()
    return {
      ask: async (number) =>
        (await pool.query({ name: 'spike', text: twoMilliseconds, values: [number] })).rows[0],
      close: () => pool.end(),
    }
  },
}

const postgresJs: Usage<Warm> = {
  name: 'postgres.js',
  reset: 'none',
  async open(dsn, connections) {
    const sql = openSql(dsn, connections)
    await Promise.all(Array.from({ length: warm }, () => sql`select pg_sleep(0.1)`))
    return {
      ask: async (number) => (await sql`select ${number}::int as number, pg_sleep(0.002)`)[0],
      close: () => sql.end(),
    }
  },
}

/** All callers come at once, each with one request, upon a pool that has a few connections open. */
function meeting({ name, reset, open }: Usage<Warm>): Peer {
  return {
    name,
    reset,
    runtime: node,
    async lap({ dsn, connections }, { callers }: Load): Promise<Figures> {
      const client = await open(dsn, connections)
      try {
        await becomeUsed(client)
        const begun = performance.now()
        const latencies = await Promise.all(
          Array.from({ length: callers }, async (_, number) => {
            checkNumber(number, await client.ask(number))
            return performance.now() - begun
          }),
        )
        const sorted = Float64Array.from(latencies).sort()
        return { requests: callers, p50: percentile(sorted, 0.5), last: percentile(sorted, 1) }
      } finally {
        await client.close()
      }
    },
  }
}

/** The open connections know the statement, as in a service that runs for a while; none is opened for it. */
async function becomeUsed(client: Warm): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const numbers = Array.from({ length: warm }, (_, number) => number)
    await Promise.all(numbers.map(async (number) => checkNumber(number, await client.ask(number))))
  }
}

export const spikePeers: readonly Peer[] = [...ownWays, leased, pgPool, postgresJs].map(meeting)
