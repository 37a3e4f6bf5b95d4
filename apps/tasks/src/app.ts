import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance } from 'fastify'
import { answerError, NotFound } from './errors.ts'
import { apiDocsPlugin } from './plugins/api-docs.ts'
import { connectionPlugin } from './plugins/connection.ts'
import { drainPlugin } from './plugins/drain.ts'
import { type PoolPluginOptions, poolPlugin } from './plugins/pool.ts'
import { healthRoutes } from './routes/health.ts'
import { refuseOtherMethods } from './routes/not-allowed.ts'
import { observationRoutes } from './routes/observation.ts'
import { taskRoutes } from './routes/tasks.ts'
import { strictValidation } from './validation.ts'

export interface AppOptions extends PoolPluginOptions {
  /** Whether requests and events are logged, as JSON lines on the standard output. */
  log: boolean
}

/** The service without its socket: its pool is open and its routes stand; more may be added before it listens. */
export async function buildApp({ log, ...options }: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: log,
    // Opening the pool has time-outs of its own.
    pluginTimeout: 0,
    frameworkErrors: answerError,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(strictValidation)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(() => {
    throw new NotFound('there is nothing at this path')
  })
  try {
    await app.register(drainPlugin)
    await app.register(poolPlugin, options)
    await app.register(connectionPlugin)
    await app.register(apiDocsPlugin)
    await app.register(taskRoutes)
    await app.register(healthRoutes)
    await app.register(observationRoutes)
    await app.register(refuseOtherMethods, { paths: ['/tasks', '/tasks/:id'] })
  } catch (error) {
    await app.close()
    throw error
  }
  return app
}
