import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Problem } from '../schemas.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** A known path with a method that it lacks: 405, naming those it has. Registered after the routes. */
export const refuseOtherMethods = fp(
  async (app: FastifyInstance, { paths }: { paths: readonly string[] }) => {
    for (const url of paths) {
      const has = (method: (typeof methods)[number]) => app.hasRoute({ method, url })
      const allowed = methods.filter(has).join(', ')
      app.route({
        method: methods.filter((method) => !has(method)),
        url,
        schema: { hide: true },
        handler: async (request, reply) => {
          const problem: Problem = {
            error: `${request.method} is not for this path: ${allowed} are`,
            details: [],
          }
          return reply.code(405).header('allow', allowed).send(problem)
        },
      })
    }
  },
)
