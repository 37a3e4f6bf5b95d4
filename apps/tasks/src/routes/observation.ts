import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { metricsText } from '../metrics.ts'

const tags = ['observation']

export const observationRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/metrics', { schema: { tags, summary: 'The pool, for Prometheus' } }, async (_, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(metricsText(app.pool.stats())),
  )

  app.get('/pool.json', { schema: { tags, summary: 'The pool, as it counts itself' } }, async () =>
    app.pool.stats(),
  )
}
