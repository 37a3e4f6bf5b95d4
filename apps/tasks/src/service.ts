import { lookup } from 'node:dns/promises'
import { buildApp } from './app.ts'
import type { Config } from './config.ts'
import { startEmbedded } from './embedded/embedded-database.ts'

export interface Service {
  /** Answers what is in flight, then closes the pool, then the embedded database. */
  stop(): Promise<void>
}

interface Database {
  dsn: string
  /** For the log. */
  place: string
  stop(): Promise<void>
}

/**
 * Opens the database, the pool and the socket, in this order. What fails leaves nothing open. When `abandoned` is
 * aborted, the embedded server ends at once, and the rest with the process.
 */
export async function startService(config: Config, abandoned?: AbortSignal): Promise<Service> {
  const database = await openDatabase(config, abandoned)
  try {
    const app = await buildApp({ log: true, dsn: database.dsn, pool: config.pool })
    app.log.info(`the database is ${database.place}: ${app.pool.target}`)
    const stop = async () => {
      await app.close()
      await database.stop()
    }
    try {
      // For the name localhost Fastify opens a server for each address, and closes only the first in order.
      const { address } = await lookup(config.host)
      await app.listen({ host: address, port: config.port })
    } catch (error) {
      await app.close()
      throw error
    }
    return { stop }
  } catch (error) {
    await database.stop()
    throw error
  }
}

async function openDatabase(
  { databaseUrl, dataFolder }: Config,
  abandoned: AbortSignal | undefined,
): Promise<Database> {
  if (databaseUrl !== undefined) {
    return { dsn: databaseUrl, place: 'the one of DATABASE_URL', stop: async () => {} }
  }
  const { dsn, folder, stop } = await startEmbedded(dataFolder, abandoned)
  return { dsn, place: `an embedded PostgreSQL with its data in ${folder}`, stop }
}
