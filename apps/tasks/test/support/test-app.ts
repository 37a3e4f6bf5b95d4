import type { FastifyInstance } from 'fastify'
import type { PoolOptions } from 'rockpool'
import { onTestFinished } from 'vitest'
import { freshDatabase } from '../../../../test/support/servers.ts'
import { buildApp } from '../../src/app.ts'

export interface TestApp {
  app: FastifyInstance
  dsn: string
}

/** The service on a database of its own; it closes with the test. */
export async function testApp(pool: PoolOptions = {}): Promise<TestApp> {
  const dsn = await freshDatabase()
  const app = await buildApp({ log: false, dsn, pool: { minSize: 1, maxSize: 2, ...pool } })
  onTestFinished(() => app.close())
  return { app, dsn }
}

/** The address of `app`, once it listens on the loopback interface. */
export function listening(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 })
}
