import { once } from 'node:events'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import { expect, it } from 'vitest'
import { adminQuery, type Backend, backends } from '../../../test/support/servers.ts'
import { until } from '../../../test/support/until.ts'
import { listening, type TestApp, testApp } from './support/test-app.ts'

const config = { connection: true }

/** All connections are in the pool and the server sees none at work. */
async function allIdle({ app, dsn }: TestApp): Promise<void> {
  await until('every connection is idle', () => app.pool.idleSize === app.pool.size)
  await until('every backend is idle', async () => {
    return (await backends(dsn)).every((backend) => backend.state === 'idle')
  })
}

function sleeper(dsn: string): Promise<Backend | undefined> {
  return backends(dsn).then((all) =>
    all.find((one) => one.state === 'active' && one.query.includes('pg_sleep')),
  )
}

it('a connection is back when the answer is there', async () => {
  const test = await testApp({ maxSize: 1 })
  for (let n = 0; n < 3; n++) expect((await test.app.inject('/tasks')).statusCode).toBe(200)
  await allIdle(test)
  expect(test.app.pool.size).toBe(1)
})

it('a HEAD request takes one connection and gives it back', async () => {
  const test = await testApp({ maxSize: 1, acquireTimeout: '1s' })
  for (let n = 0; n < 3; n++) {
    expect((await test.app.inject({ method: 'HEAD', url: '/tasks' })).statusCode).toBe(200)
  }
  await allIdle(test)
})

it('a connection is back after an error of the handler, and the error stays inside', async () => {
  const test = await testApp({ maxSize: 1 })
  test.app.get('/fails', { config }, async () => {
    throw new Error('secret detail')
  })
  test.app.get('/wrong-sql', { config }, (asked) => asked.connection.fetch('select secret_column from tasks'))
  for (const url of ['/fails', '/wrong-sql', '/fails']) {
    const response = await test.app.inject(url)
    expect(response.statusCode).toBe(500)
    expect(response.json()).toEqual({ error: 'internal error', details: [] })
  }
  await allIdle(test)
})

it('a transaction that a handler left open is rolled back before the next request', async () => {
  const test = await testApp({ maxSize: 1 })
  test.app.post('/half-done', { config }, async (asked) => {
    await asked.connection.execute('begin')
    await asked.connection.execute("insert into tasks (title) values ('half')")
    return {}
  })
  expect((await test.app.inject({ method: 'POST', url: '/half-done' })).statusCode).toBe(200)
  expect((await test.app.inject('/tasks')).json()).toEqual({ items: [], next: null })
})

it('a streamed answer keeps its connection until it is sent', async () => {
  const test = await testApp({ maxSize: 1 })
  test.app.get('/stream', { config }, async (asked, reply) => {
    async function* parts() {
      await turn()
      yield String(await asked.connection.fetchVal('select 1 + 1'))
    }
    return reply.send(Readable.from(parts()))
  })
  expect((await test.app.inject('/stream')).body).toBe('2')
  await allIdle(test)
})

it('a client that hangs up cancels its statement and gives the connection back', async () => {
  const test = await testApp({ maxSize: 1 })
  test.app.get('/sleep', { config }, (asked) => asked.connection.fetchVal('select pg_sleep(60)'))
  const client = request(`${await listening(test.app)}/sleep`).end()
  await until('the statement runs', () => sleeper(test.dsn))
  client.on('error', () => {}).destroy()
  await until('the statement was cancelled', async () => (await sleeper(test.dsn)) === undefined)
  await allIdle(test)
  expect((await test.app.inject('/tasks')).statusCode).toBe(200)
})

it('a client that hangs up after sending a body cancels its statement, too', async () => {
  const test = await testApp({ maxSize: 1 })
  test.app.post('/sleep', { config }, (asked) => asked.connection.fetchVal('select pg_sleep(60)'))
  const client = request(`${await listening(test.app)}/sleep`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  }).end('{}')
  await until('the statement runs', () => sleeper(test.dsn))
  client.on('error', () => {}).destroy()
  await until('the statement was cancelled', async () => (await sleeper(test.dsn)) === undefined)
  await allIdle(test)
})

it('a client that hangs up while it waits leaves the queue', async () => {
  const test = await testApp({ maxSize: 1 })
  const held = await test.app.pool.acquire()
  const client = request(`${await listening(test.app)}/tasks`).end()
  await until('the request waits', () => test.app.pool.waitingSize === 1)
  client.on('error', () => {}).destroy()
  await until('nobody waits', () => test.app.pool.waitingSize === 0)
  held.release()
  await allIdle(test)
})

it('no connection in time is 503 with the seconds to wait', async () => {
  const test = await testApp({ maxSize: 1, acquireTimeout: '500ms' })
  const held = await test.app.pool.acquire()
  const response = await test.app.inject('/tasks')
  expect(response.statusCode).toBe(503)
  expect(response.headers['retry-after']).toBe('1')
  expect(response.json()).toEqual({
    error: 'no database connection in time, please try again',
    details: [],
  })
  held.release()
  await allIdle(test)
  expect((await test.app.inject('/tasks')).statusCode).toBe(200)
})

it('a statement beyond the command time-out is 504, and its connection is usable again', async () => {
  const test = await testApp({ maxSize: 1, commandTimeout: '1s' })
  test.app.get('/sleep', { config }, (asked) => asked.connection.fetchVal('select pg_sleep(60)'))
  const response = await test.app.inject('/sleep')
  expect(response.statusCode).toBe(504)
  expect(response.json()).toEqual({ error: 'the answer took too long', details: [] })
  await allIdle(test)
  expect((await test.app.inject('/tasks')).statusCode).toBe(200)
})

it('a handler out of its time loses its connection', async () => {
  const test = await testApp({ maxSize: 1 })
  test.app.get('/sleep', { config, handlerTimeout: 300 }, (asked) =>
    asked.connection.fetchVal('select pg_sleep(60)'),
  )
  expect((await test.app.inject('/sleep')).statusCode).toBe(504)
  await until('the statement was cancelled', async () => (await sleeper(test.dsn)) === undefined)
  await allIdle(test)
})

it('a request that is answered by its time-out while it waits keeps no connection', async () => {
  const test = await testApp({ maxSize: 1 })
  test.app.get('/late', { config, handlerTimeout: 300 }, async () => ({}))
  const held = await test.app.pool.acquire()
  const client = request(`${await listening(test.app)}/late`).end()
  const [response] = await once(client, 'response')
  expect(response.statusCode).toBe(504)
  response.resume()
  held.release()
  await allIdle(test)
  expect((await test.app.inject('/tasks')).statusCode).toBe(200)
})

it('requests go on when the server ends every session between them', async () => {
  const test = await testApp({ minSize: 2 })
  const old = new Set((await backends(test.dsn)).map((one) => one.pid))
  await adminQuery(
    test.dsn,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  )
  await until('they are gone', async () => (await backends(test.dsn)).every((one) => !old.has(one.pid)))
  expect((await test.app.inject('/tasks')).statusCode).toBe(200)
})

it('a read whose session ends in the middle may be tried again, a write may not', async () => {
  const test = await testApp({ maxSize: 1 })
  const sleep = {
    config,
    handler: (asked: FastifyRequest) => asked.connection.fetchVal('select pg_sleep(60)'),
  }
  test.app.route({ ...sleep, method: ['GET', 'POST'], url: '/sleep' })
  for (const [method, status] of [
    ['GET', 503],
    ['POST', 500],
  ] as const) {
    const answer = test.app.inject({ method, url: '/sleep' }).then((response) => response)
    const { pid } = (await until('the statement runs', () => sleeper(test.dsn)))!
    await adminQuery(test.dsn, 'select pg_terminate_backend($1)', [pid])
    expect((await answer).statusCode).toBe(status)
  }
})

it('a route that did not ask for a connection is told how to', async () => {
  const { app } = await testApp()
  let message = ''
  app.get('/without', async (asked) => {
    try {
      return asked.connection
    } catch (error) {
      message = (error as Error).message
      return {}
    }
  })
  await app.inject('/without')
  expect(message).toBe(
    'GET /without holds no connection: declare config: { connection: true }, and use it before the answer is sent',
  )
})

it('closing waits for the request in flight, and leaves no backend', async () => {
  const { app, dsn } = await testApp()
  app.get('/sleep', { config }, (asked) => asked.connection.fetchVal('select pg_sleep(0.3)'))
  const client = request(`${await listening(app)}/sleep`).end()
  const answered = once(client, 'response')
  await until('the statement runs', () => sleeper(dsn))
  const closed = app.close()
  const [response] = await answered
  expect(response.statusCode).toBe(200)
  expect(response.headers.connection).toBe('close')
  response.resume()
  await closed
  await until('no backend is left', async () => (await backends(dsn)).length === 0)
})
