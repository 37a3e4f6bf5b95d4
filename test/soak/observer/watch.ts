import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { now } from '../clock.ts'
import type { SoakServer } from '../server.ts'
import type { Row } from './activity.ts'

const every = 100

const rowsText = `select pid, application_name as name,
    extract(epoch from clock_timestamp() - backend_start)::float8 * 1000 as age,
    state is not distinct from 'active' as "isActive",
    concat_ws(' ', state, 'since', state_change, wait_event, left(query, 80)) as doing
  from pg_stat_activity where backend_type = 'client backend' and usename = 'soak'`

/** Reads pg_stat_activity ten times a second, on a connection of its own that is opened again when it is lost. */
export class ActivityWatch {
  readonly #server: SoakServer
  readonly #tell: (rows: Row[], at: number) => void
  #samples = 0
  #stopped = false
  #running: Promise<void>

  constructor(server: SoakServer, tell: (rows: Row[], at: number) => void) {
    this.#server = server
    this.#tell = tell
    this.#running = this.#run()
  }

  get samples(): number {
    return this.#samples
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const client = await this.#server.connect('soak observer').catch(() => undefined)
      try {
        while (client !== undefined && !this.#stopped) {
          const { rows } = await client.query<Row>(rowsText)
          this.#samples++
          this.#tell(rows, now())
          await pause(every)
        }
      } catch {
        // The server has ended the connection; there will be another.
      }
      await client?.end().catch(() => {})
      await pause(every)
    }
  }
}

/**
 * Resolves when the server lets the pools' role in and answers, with how long the connect took that it was seen by.
 * Rejects when `signal` aborts.
 */
export async function accepting(server: SoakServer, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted()
    const began = now()
    const client = new pg.Client({ connectionString: server.dsn, connectionTimeoutMillis: 1_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
      return now() - began
    } catch {
      await pause(20)
    } finally {
      await client.end().catch(() => {})
    }
  }
}
