import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify from 'fastify'
import pg from 'pg'
import { NewTask, Task, TaskId } from '../../../../apps/tasks/src/schemas.ts'
import { strictValidation } from '../../../../apps/tasks/src/validation.ts'
import { listen } from './listen.ts'

// The task service's routes for one task, on `pool.query` of node-postgres: it resets nothing. Its statements have names,
// which makes it faster.
const columns = 'id, title, done, created_at, updated_at'

pg.types.setTypeParser(pg.types.builtins.INT8, Number)
const insert = {
  name: 'insert',
  text: `insert into tasks (title, done) values ($1, $2) returning ${columns}`,
}
const select = { name: 'select', text: `select ${columns} from tasks where id = $1` }

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, min: 10, max: 20 })
const app = fastify().withTypeProvider<TypeBoxTypeProvider>()
app.setValidatorCompiler(strictValidation)
app.addHook('onClose', () => pool.end())

app.post('/tasks', { schema: { body: NewTask, response: { 201: Task } } }, async (request, reply) => {
  const { title, done = false } = request.body
  const { rows } = await pool.query<Task>({ ...insert, values: [title, done] })
  const [task] = rows
  return reply.code(201).header('location', `/tasks/${task!.id}`).send(task!)
})

app.get('/tasks/:id', { schema: { params: TaskId, response: { 200: Task } } }, async (request, reply) => {
  const { rows } = await pool.query<Task>({ ...select, values: [request.params.id] })
  return rows[0] ?? reply.callNotFound()
})

await listen(app)
