import { once } from 'node:events'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { expect, it } from 'vitest'
import { until } from '../../../test/support/until.ts'
import { rawClient, refusesConnections } from './support/raw-client.ts'
import { listening, testApp } from './support/test-app.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: tasks\r\n\r\n`

/** Begins to close `app`; from then on it takes no new connections. */
async function closing(app: FastifyInstance, url: string): Promise<{ closed: Promise<void> }> {
  const closed = app.close()
  await until('it takes no new connections', () => refusesConnections(url))
  return { closed }
}

/** An answer too long for the buffers of both ends. */
const long = 'x'.repeat(64 * 2 ** 20)

/** A client that asked for `long` and has not read all of it. */
async function slowReader(app: FastifyInstance): Promise<{ client: Socket; url: string }> {
  app.get('/long', async () => long)
  const url = await listening(app)
  const client = await rawClient(url)
  client.write(get('/long'))
  await once(client, 'readable')
  return { client, url }
}

it('a body whose rest comes while the service closes is worked on', async () => {
  const { app } = await testApp()
  const url = await listening(app)
  const body = JSON.stringify({ title: 'slow' })
  const head = `POST /tasks HTTP/1.1\r\nhost: tasks\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`
  const client = await rawClient(url, `${head}\r\n\r\n${body.slice(0, 5)}`)
  const { closed } = await closing(app, url)
  client.write(body.slice(5))
  const answer = await text(client)
  expect(answer).toMatch(/^HTTP\/1\.1 201 /)
  expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n')
  await closed
})

it('a head whose rest comes while the service closes is refused with 503', async () => {
  const { app } = await testApp()
  const url = await listening(app)
  const client = await rawClient(url, get('/tasks').slice(0, 10))
  const { closed } = await closing(app, url)
  client.write(get('/tasks').slice(10))
  expect(await text(client)).toMatch(/^HTTP\/1\.1 503 /)
  await closed
})

it('a handler may take longer than what is still to be received', async () => {
  const { app } = await testApp()
  app.get('/sleep', { config: { connection: true } }, (asked) =>
    asked.connection.fetchVal("select 'slept' from pg_sleep(3)"),
  )
  const url = await listening(app)
  const client = await rawClient(url, get('/sleep'))
  const { closed } = await closing(app, url)
  expect(await text(client)).toMatch(/^HTTP\/1\.1 200 .*slept$/s)
  await closed
})

it('a client that reads its answer slowly gets all of it', async () => {
  const { app } = await testApp()
  const { client, url } = await slowReader(app)
  const { closed } = await closing(app, url)
  const answer = await text(client)
  expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(long.length)
  await closed
})

it('a client that does not read its answer at all is given up', async () => {
  const { app } = await testApp()
  const { url } = await slowReader(app)
  const { closed } = await closing(app, url)
  await closed
}, 10_000)
