import { fileURLToPath } from 'node:url'
import { type Connection, connect } from 'rockpool'
import { startEmbedded } from '../../apps/tasks/src/embedded/embedded-database.ts'

export interface Server {
  /** With its password: not for output. */
  dsn: string
  /** For the heading of a table. */
  name: string
  stop(): Promise<void>
}

/** The server of the DSN or, without one, the embedded PostgreSQL on a folder of its own, kept between runs. */
export async function openServer(dsn: string | undefined): Promise<Server> {
  if (dsn !== undefined) {
    return { dsn, name: `PostgreSQL ${await version(dsn)} of the given DSN`, stop: async () => {} }
  }
  const embedded = await startEmbedded(
    fileURLToPath(new URL('.rockpool/bench-db', import.meta.resolve('rockpool/package.json'))),
  )
  try {
    const name = `embedded PostgreSQL ${await version(embedded.dsn)}`
    return { dsn: embedded.dsn, name, stop: () => embedded.stop() }
  } catch (error) {
    await embedded.stop()
    throw error
  }
}

/** How many more connections the server takes from an ordinary role at this moment. */
export function freeConnections(dsn: string): Promise<number> {
  return once(dsn, async (connection) => {
    const free = await connection.fetchVal<number>(
      `select current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0)
         - (select count(*)::int from pg_catalog.pg_stat_activity
            where datid is not null and pid <> pg_backend_pid())`,
    )
    return free!
  })
}

/** Runs `work` on a connection that is closed afterwards. */
export async function once<T>(dsn: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(dsn)
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

async function version(dsn: string): Promise<string> {
  const version = await once(dsn, (connection) => connection.fetchVal<string>('show server_version'))
  return version!.split(' ')[0]!
}
