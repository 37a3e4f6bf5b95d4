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

/** Opens the database, the pool and the socket, in this order. What fails leaves nothing open. */
export async function startService(config: Config): Promise<Service> {
  const database = await openDatabase(config)
  try {
    const app = await buildApp({ log: true, dsn: database.dsn, pool: config.pool })
    app.log.info(`the database is ${database.place}: ${app.pool.target}`)
    const stop = async () => {
      await app.close()
      await database.stop()
    }
    try {
      await app.listen({ host: config.host, port: config.port })
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

async function openDatabase({ databaseUrl, dataFolder }: Config): Promise<Database> {
  if (databaseUrl !== undefined) {
    return { dsn: databaseUrl, place: 'the one of DATABASE_URL', stop: async () => {} }
  }
  const { dsn, folder, stop } = await startEmbedded(dataFolder)
  return { dsn, place: `an embedded PostgreSQL with its data in ${folder}`, stop }
}
