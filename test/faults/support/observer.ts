import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

/** Looks at a server from outside, through its crashes and restarts, and holds the locks that statements wait for. */
export class Observer {
  #dsn: string
  #client: Promise<pg.Client> | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(dsn: string) {
    this.#dsn = dsn
  }

  /** Looks at another server from now on. */
  moveTo(dsn: string): void {
    this.#dsn = dsn
  }

  /** Rows of one statement, after those asked for before. A connection that was lost is opened again, once. */
  query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const ask = () =>
      this.#ask<Row>(sql, values).catch((error: unknown) => {
        if (this.#client !== undefined) throw error
        return this.#ask<Row>(sql, values)
      })
    const rows = this.#last.then(ask)
    this.#last = rows.catch(() => {})
    return rows
  }

  lock(key: number): Promise<unknown> {
    return this.query('select pg_advisory_lock($1)', [key])
  }

  /** Does nothing where the lock went with the server. */
  unlock(key: number): Promise<unknown> {
    return this.query('select pg_advisory_unlock($1)', [key])
  }

  /** The backends that wait for a lock, the first to connect first. */
  async waitingFor(key: number): Promise<number[]> {
    const rows = await this.query<{ pid: number }>(
      `select pid from pg_locks join pg_stat_activity using (pid)
       where locktype = 'advisory' and objid = $1 and not granted and datname = current_database()
       order by waitstart, pid`,
      [key],
    )
    return rows.map(({ pid }) => pid)
  }

  async backendsOf(applicationName: string): Promise<number[]> {
    const rows = await this.query<{ pid: number }>(
      'select pid from pg_stat_activity where application_name = $1 and datname = current_database()',
      [applicationName],
    )
    return rows.map(({ pid }) => pid)
  }

  /** Resolves once the server takes connections, with that moment and with how long the connect took. */
  async accepts(): Promise<{ at: number; took: number }> {
    for (;;) {
      const begun = performance.now()
      const client = new pg.Client({ connectionString: this.#dsn, connectionTimeoutMillis: 500 })
      client.on('error', () => {})
      try {
        await client.connect()
        await client.query('select 1')
        const at = performance.now()
        return { at, took: at - begun }
      } catch {
        await pause(10)
      } finally {
        await client.end().catch(() => {})
      }
    }
  }

  /** The longest that a connect takes, of those made one after another until `end`. */
  async slowestConnect(end: Promise<unknown>): Promise<number> {
    let slowest = 0
    let isOver = false
    end.then(() => {
      isOver = true
    })
    while (!isOver) {
      slowest = Math.max(slowest, (await this.accepts()).took)
      await pause(10)
    }
    return slowest
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    await client?.end().catch(() => {})
  }

  async #ask<Row extends object>(sql: string, values: unknown[]): Promise<Row[]> {
    this.#client ??= this.#connect()
    const client = this.#client
    try {
      const { rows } = await (await client).query<Row>(sql, values)
      return rows
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && error.severity === 'ERROR')) {
        this.#client = undefined
        await client.then((lost) => lost.end()).catch(() => {})
      }
      throw error
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#dsn, application_name: 'observer' })
    client.on('error', () => {})
    await client.connect()
    return client
  }
}
