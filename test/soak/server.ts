import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { giveTo, serverAccount } from '../../apps/tasks/src/embedded/account.ts'
import { installedPostgres, reachableBy } from '../../apps/tasks/src/embedded/binaries.ts'
import { Cluster } from '../../apps/tasks/src/embedded/cluster.ts'
import { freePort } from '../../apps/tasks/src/embedded/free-port.ts'
import { removeAbandoned, serverFolder } from '../support/abandoned.ts'
import { until } from '../support/until.ts'
import type { ServerPlace } from './messages.ts'

const run = promisify(execFile)

/** The role of all pools; it logs in by SCRAM. */
export const soakRole = { name: 'soak', password: 'soak-secret' } as const

/** A server that recovers takes no longer, in milliseconds. */
const patience = 20_000

const accessRules = `
host all soak all scram-sha-256
host all all  all trust
`

/** The PostgreSQL that a soak wears out: the embedded one, on data of its own. */
export class SoakServer {
  readonly place: ServerPlace
  readonly #cluster: Cluster
  readonly #account: Awaited<ReturnType<typeof serverAccount>>

  private constructor(
    place: ServerPlace,
    account: Awaited<ReturnType<typeof serverAccount>>,
    cluster: Cluster,
  ) {
    this.place = place
    this.#account = account
    this.#cluster = cluster
  }

  /** Makes the data and starts the server; `remove` removes both. */
  static async make(): Promise<{ server: SoakServer; remove(): Promise<void> }> {
    const account = await serverAccount()
    const directory = await serverFolder()
    await giveTo(account, directory)
    const bin = join(await reachableBy(account, await installedPostgres(), directory), 'bin')
    await removeAbandoned(bin, account)
    const cluster = new Cluster({ bin, data: join(directory, 'data'), account })
    const port = await freePort()
    const server = new SoakServer({ bin, data: cluster.data, port }, account, cluster)
    const remove = async () => {
      await server.thaw()
      await cluster.stop()
      await rm(directory, { recursive: true, force: true })
    }
    try {
      await cluster.initialise(['--username=postgres', '--auth=trust', '--locale=C', '--no-sync'])
      await cluster.configure({
        port,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        max_connections: 48,
        superuser_reserved_connections: 6,
        // Some transfers go for one; they shall not keep others waiting.
        deadlock_timeout: '100ms',
        // The machine does not fail here, only its processes do.
        fsync: 'off',
        full_page_writes: 'off',
        shared_buffers: '64MB',
        timezone: 'UTC',
        log_timezone: 'UTC',
        log_min_messages: 'fatal',
      })
      await cluster.write('pg_hba.conf', accessRules)
      await cluster.start()
    } catch (error) {
      await remove()
      throw error
    }
    return { server, remove }
  }

  /** The server that another process made. */
  static async at(place: ServerPlace): Promise<SoakServer> {
    const account = await serverAccount()
    return new SoakServer(place, account, new Cluster({ bin: place.bin, data: place.data, account }))
  }

  /** The DSN of the pools' role. */
  get dsn(): string {
    return `postgres://${soakRole.name}:${soakRole.password}@127.0.0.1:${this.place.port}/postgres`
  }

  /** A connection of the superuser, for which places are kept where all others are taken. */
  async connect(name = 'soak admin'): Promise<pg.Client> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.place.port,
      user: 'postgres',
      database: 'postgres',
      application_name: name,
      connectionTimeoutMillis: 2_000,
    })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** One statement, or several without values, on a connection of their own, as soon as the server lets it in. */
  async query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]> {
    const client = await until(
      'the server lets its administrator in',
      () => this.connect().catch(() => undefined),
      patience,
    )
    try {
      return (await client.query<Row>(sql, values)).rows
    } finally {
      await client.end().catch(() => {})
    }
  }

  async postmasterPid(): Promise<number> {
    const pid = await this.#cluster.postmasterPid()
    if (pid === undefined) throw new Error('the server does not run')
    return pid
  }

  start(): Promise<void> {
    return this.#cluster.start()
  }

  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    const args = ['stop', '--wait', '--timeout=20', `--mode=${mode}`, '--pgdata', this.place.data]
    await run(join(this.place.bin, 'pg_ctl'), args, { ...this.#account, cwd: '/' })
  }

  /** Ends a freeze of the postmaster, where there is one. */
  async thaw(): Promise<void> {
    const pid = await this.#cluster.postmasterPid()
    try {
      if (pid !== undefined) process.kill(pid, 'SIGCONT')
    } catch {
      // It does not run.
    }
  }
}
