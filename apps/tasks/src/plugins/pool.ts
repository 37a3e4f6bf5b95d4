import fp from 'fastify-plugin'
import { createPool, type Pool, type PoolOptions } from 'rockpool'
import { migrate } from '../migrate.ts'

declare module 'fastify' {
  interface FastifyInstance {
    pool: Pool
  }
}

export interface PoolPluginOptions {
  dsn: string
  pool: PoolOptions
}

/**
 * The pool lives as long as the service: it is open, and the schema up to date, before the service listens; it
 * closes when the service has answered its last request.
 */
export const poolPlugin = fp(async (app, { dsn, pool: options }: PoolPluginOptions) => {
  const pool = await createPool(dsn, options)
  app.addHook('onClose', () => pool.close())
  pool.on('warning', ({ message, error }) => app.log.warn({ err: error }, message))
  pool.on('leak', ({ returned, ...leak }) =>
    app.log.warn(
      leak,
      returned ? 'a connection that was held too long came back' : 'a connection is held too long',
    ),
  )
  app.decorate('pool', pool)
  const applied = await migrate(pool)
  if (applied.length > 0) app.log.info({ migrations: applied }, 'database schema brought up to date')
})
