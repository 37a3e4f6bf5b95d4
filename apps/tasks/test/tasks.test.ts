import { expect, it } from 'vitest'
import type { Task } from '../src/schemas.ts'
import { testApp } from './support/test-app.ts'

it('a created task comes back with its id, its times and where it is', async () => {
  const { app } = await testApp()
  const created = await app.inject({ method: 'POST', url: '/tasks', payload: { title: 'Купить молоко 🥛' } })
  expect(created.statusCode).toBe(201)
  const task = created.json<Task>()
  expect(task).toEqual({
    id: expect.any(Number),
    title: 'Купить молоко 🥛',
    done: false,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    updated_at: task.created_at,
  })
  expect(created.headers.location).toBe(`/tasks/${task.id}`)
  const read = await app.inject(`/tasks/${task.id}`)
  expect(read.statusCode).toBe(200)
  expect(read.json()).toEqual(task)
})

it('a change touches only the fields that it names', async () => {
  const { app } = await testApp()
  const { id } = (
    await app.inject({ method: 'POST', url: '/tasks', payload: { title: 'draft', done: true } })
  ).json<Task>()
  const changed = await app.inject({ method: 'PATCH', url: `/tasks/${id}`, payload: { title: 'final' } })
  expect(changed.statusCode).toBe(200)
  expect(changed.json()).toMatchObject({ id, title: 'final', done: true })
  const undone = await app.inject({ method: 'PATCH', url: `/tasks/${id}`, payload: { done: false } })
  expect(undone.json()).toMatchObject({ id, title: 'final', done: false })
  const { created_at, updated_at } = undone.json<Task>()
  expect(updated_at > created_at).toBe(true)
})

it('a deleted task is gone', async () => {
  const { app } = await testApp()
  const { id } = (await app.inject({ method: 'POST', url: '/tasks', payload: { title: 'x' } })).json<Task>()
  const deleted = await app.inject({ method: 'DELETE', url: `/tasks/${id}` })
  expect(deleted.statusCode).toBe(204)
  expect(deleted.body).toBe('')
  expect((await app.inject(`/tasks/${id}`)).statusCode).toBe(404)
  expect((await app.inject({ method: 'DELETE', url: `/tasks/${id}` })).statusCode).toBe(404)
  const changed = await app.inject({ method: 'PATCH', url: `/tasks/${id}`, payload: { done: true } })
  expect(changed.statusCode).toBe(404)
  expect(changed.json()).toEqual({ error: `there is no task ${id}`, details: [] })
})

it('pages follow each other without a gap, also when a task before them goes', async () => {
  const { app } = await testApp()
  for (let n = 1; n <= 5; n++) {
    await app.inject({ method: 'POST', url: '/tasks', payload: { title: `task ${n}` } })
  }
  const titles = (response: { json(): { items: Task[] } }) => response.json().items.map((task) => task.title)
  const first = await app.inject('/tasks?limit=2')
  expect(titles(first)).toEqual(['task 1', 'task 2'])
  await app.inject({ method: 'DELETE', url: `/tasks/${first.json().items[0].id}` })
  const second = await app.inject(`/tasks?limit=2&after=${first.json().next}`)
  expect(titles(second)).toEqual(['task 3', 'task 4'])
  const last = await app.inject(`/tasks?limit=2&after=${second.json().next}`)
  expect(titles(last)).toEqual(['task 5'])
  expect(last.json().next).toBeNull()
})

it('a last page that is full has no next', async () => {
  const { app } = await testApp()
  await app.inject({ method: 'POST', url: '/tasks', payload: { title: 'only' } })
  const page = await app.inject('/tasks?limit=1')
  expect(page.json()).toMatchObject({ items: [{ title: 'only' }], next: null })
})

it('a path or a method that the service lacks is told as such', async () => {
  const { app } = await testApp()
  const nowhere = await app.inject('/nowhere')
  expect(nowhere.statusCode).toBe(404)
  expect(nowhere.json()).toEqual({ error: 'there is nothing at this path', details: [] })
  const put = await app.inject({ method: 'PUT', url: '/tasks/1', payload: { title: 'x' } })
  expect(put.statusCode).toBe(405)
  expect(put.headers.allow).toBe('GET, PATCH, DELETE')
  expect(put.json()).toEqual({ error: 'PUT is not for this path: GET, PATCH, DELETE are', details: [] })
  const options = await app.inject({ method: 'OPTIONS', url: '/tasks' })
  expect(options.statusCode).toBe(405)
  expect(options.headers.allow).toBe('GET, POST')
})
