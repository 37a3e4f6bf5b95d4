import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { NotFound } from '../errors.ts'
import { defaultLimit, NewTask, Page, PageQuery, Problem, Task, TaskChange, TaskId } from '../schemas.ts'

const columns = 'id, title, done, created_at, updated_at'
const config = { connection: true }
const tags = ['tasks']

/** What any of these routes may answer besides its success. */
const problems = { 422: Problem, 503: Problem, 504: Problem }
const onOne = { 404: Problem, ...problems }

export const taskRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/tasks',
    {
      config,
      schema: { tags, summary: 'Create a task', body: NewTask, response: { 201: Task, ...problems } },
    },
    async (request, reply) => {
      const { title, done = false } = request.body
      const task = await request.connection.fetchRow<Task>(
        `insert into tasks (title, done) values ($1, $2) returning ${columns}`,
        [title, done],
      )
      return reply.code(201).header('location', `/tasks/${task!.id}`).send(task!)
    },
  )

  app.get(
    '/tasks',
    {
      config,
      schema: {
        tags,
        summary: 'A page of tasks',
        querystring: PageQuery,
        response: { 200: Page, ...problems },
      },
    },
    async (request) => {
      const { limit = defaultLimit, after = 0 } = request.query
      const rows = await request.connection.fetch<Task>(
        `select ${columns} from tasks where id > $1 order by id limit $2`,
        [after, limit + 1],
      )
      const items = rows.slice(0, limit)
      return { items, next: rows.length > limit ? items.at(-1)!.id : null }
    },
  )

  app.get(
    '/tasks/:id',
    { config, schema: { tags, summary: 'One task', params: TaskId, response: { 200: Task, ...onOne } } },
    async (request) => {
      const { id } = request.params
      return found(
        id,
        await request.connection.fetchRow<Task>(`select ${columns} from tasks where id = $1`, [id]),
      )
    },
  )

  app.patch(
    '/tasks/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Change a task',
        params: TaskId,
        body: TaskChange,
        response: { 200: Task, ...onOne },
      },
    },
    async (request) => {
      const { id } = request.params
      const { title = null, done = null } = request.body
      const task = await request.connection.fetchRow<Task>(
        `update tasks set title = coalesce($2, title), done = coalesce($3, done), updated_at = now()
         where id = $1 returning ${columns}`,
        [id, title, done],
      )
      return found(id, task)
    },
  )

  app.delete(
    '/tasks/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Delete a task',
        params: TaskId,
        response: { 204: Type.Null({ description: 'It is gone' }), ...onOne },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      found(id, await request.connection.fetchRow('delete from tasks where id = $1 returning id', [id]))
      return reply.code(204).send(null)
    },
  )
}

function found<Row>(id: number, row: Row | null): Row {
  if (row === null) throw new NotFound(`there is no task ${id}`)
  return row
}
