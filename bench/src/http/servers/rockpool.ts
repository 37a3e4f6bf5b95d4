import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Task, TaskId } from '../../../../apps/tasks/src/schemas.ts'
import { listen } from './listen.ts'

/** The task service as it is built, for it finds its migrations beside itself. */
const service = new URL('apps/tasks/dist/', import.meta.resolve('rockpool/package.json'))
const { buildApp }: typeof import('../../../../apps/tasks/src/app.ts') = await import(
  new URL('app.js', service).href
)
const { readConfig }: typeof import('../../../../apps/tasks/src/config.ts') = await import(
  new URL('config.js', service).href
)

const { databaseUrl, pool } = readConfig(process.env)
const app = await buildApp({ log: false, dsn: databaseUrl!, pool })

// The service's own route for one task, but for how it asks.
app
  .withTypeProvider<TypeBoxTypeProvider>()
  .get(
    '/one-shots/tasks/:id',
    { schema: { params: TaskId, response: { 200: Task } } },
    async (request, reply) => {
      const task = await app.pool.fetchRow<Task>(
        'select id, title, done, created_at, updated_at from tasks where id = $1',
        [request.params.id],
      )
      return task ?? reply.callNotFound()
    },
  )
await listen(app)
