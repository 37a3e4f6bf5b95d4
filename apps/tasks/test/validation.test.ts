import type { InjectOptions } from 'fastify'
import { expect, it } from 'vitest'
import { testApp } from './support/test-app.ts'

const json = { 'content-type': 'application/json' }
const post = (payload: unknown): InjectOptions => ({
  method: 'POST',
  url: '/tasks',
  headers: json,
  payload: JSON.stringify(payload),
})
const raw = (payload: string): InjectOptions => ({ method: 'POST', url: '/tasks', headers: json, payload })
const patch = (payload: unknown): InjectOptions => ({ ...post(payload), method: 'PATCH', url: '/tasks/1' })

const refused: [what: string, request: InjectOptions | string, field: string, reason: string][] = [
  ['an empty title', post({ title: '' }), 'title', 'must NOT have fewer than 1 characters'],
  ['a title of 501', post({ title: 'x'.repeat(501) }), 'title', 'must NOT have more than 500 characters'],
  ['no title', post({ done: true }), 'title', 'is required'],
  ['a title that is a number', post({ title: 5 }), 'title', 'must be string'],
  ['a title that is null', post({ title: null }), 'title', 'must be string'],
  ['NUL in a title', post({ title: 'a\0b' }), 'title', 'holds a character that cannot be stored'],
  ['half a character', raw('{"title":"\\ud800"}'), 'title', 'holds a character that cannot be stored'],
  ['done as text', post({ title: 'x', done: 'true' }), 'done', 'must be boolean'],
  ['an unknown field', post({ title: 'x', owner: 'me' }), 'owner', 'is unknown'],
  ['a field of the server', post({ title: 'x', id: 7 }), 'id', 'is unknown'],
  ['a list', post([]), 'body', 'must be object'],
  ['malformed JSON', raw('{"title":'), 'body', 'is not JSON'],
  ['a body that would poison prototypes', raw('{"__proto__":{}}'), 'body', 'is not JSON'],
  ['an empty body', raw(''), 'body', 'is empty'],
  ['no body at all', { method: 'POST', url: '/tasks' }, 'body', 'must be object'],
  [
    'another content type',
    { ...raw('title=x'), headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    'content-type',
    'must be application/json',
  ],
  ['an empty change', patch({}), 'body', 'must NOT have fewer than 1 properties'],
  ['a change to null', patch({ title: null }), 'title', 'must be string'],
  ['an unknown field of a change', patch({ title: 'x', updated_at: 'now' }), 'updated_at', 'is unknown'],
  ['an id that is no number', '/tasks/abc', 'id', 'must be integer'],
  ['an id in another notation', '/tasks/0x1', 'id', 'must be integer'],
  ['an id of zero', '/tasks/0', 'id', 'must be >= 1'],
  ['an id beyond any', '/tasks/99999999999999999999', 'id', 'must be <= 9007199254740991'],
  ['an id that cannot be decoded', '/tasks/%zz', 'url', 'is not a path of this service'],
  ['an id without end', `/tasks/${'9'.repeat(200)}`, 'url', 'is not a path of this service'],
  ['a limit of none', '/tasks?limit=0', 'limit', 'must be >= 1'],
  ['a limit of 101', '/tasks?limit=101', 'limit', 'must be <= 100'],
  ['a limit told twice', '/tasks?limit=1&limit=2', 'limit', 'must be integer'],
  ['an empty cursor', '/tasks?after=', 'after', 'must be integer'],
  ['an unknown parameter', '/tasks?offset=10', 'offset', 'is unknown'],
]

it.for(refused)('%s is refused with the field and the reason', async ([, request, field, reason]) => {
  const { app } = await testApp()
  const before = app.pool.stats().totals.acquired
  const response = await app.inject(request)
  expect(response.statusCode).toBe(422)
  expect(response.json()).toEqual({ error: 'the input is not valid', details: [{ field, reason }] })
  expect(app.pool.stats().totals.acquired).toBe(before)
})

it('every mistake of a body is told at once', async () => {
  const { app } = await testApp()
  const response = await app.inject(post({ title: '', done: 1, owner: 'me' }))
  expect(
    response
      .json()
      .details.map((detail: { field: string }) => detail.field)
      .sort(),
  ).toEqual(['done', 'owner', 'title'])
})

it('500 characters are characters, whatever their size', async () => {
  const { app } = await testApp()
  const title = '🥛'.repeat(500)
  const response = await app.inject(post({ title }))
  expect(response.statusCode).toBe(201)
  expect(response.json().title).toBe(title)
})

it('a body beyond the limit is refused without being read', async () => {
  const { app } = await testApp()
  const response = await app.inject(post({ title: 'x'.repeat(2 ** 20) }))
  expect(response.statusCode).toBe(413)
  expect(response.json()).toEqual({ error: expect.any(String), details: [] })
})
