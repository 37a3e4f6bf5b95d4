import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../schemas.ts'

const Well = Type.Object({ status: Type.Literal('ok') }, { description: 'It does' })
const tags = ['health']

export const healthRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/health/live',
    { schema: { tags, summary: 'The process answers', response: { 200: Well } } },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/health/ready',
    { schema: { tags, summary: 'The database answers', response: { 200: Well, 503: Problem } } },
    async (request, reply) => {
      try {
        await app.pool.fetchVal('select 1', [], { timeout: '2s' })
        return { status: 'ok' as const }
      } catch (error) {
        request.log.warn({ err: error }, 'not ready')
        return reply
          .code(503)
          .header('retry-after', 1)
          .send({ error: 'the database does not answer', details: [] })
      }
    },
  )
}
