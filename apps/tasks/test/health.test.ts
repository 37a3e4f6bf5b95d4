import { expect, it } from 'vitest'
import { ownServer } from '../../../test/support/servers.ts'
import { until } from '../../../test/support/until.ts'
import { buildApp } from '../src/app.ts'
import { testApp } from './support/test-app.ts'

it('is live and ready while the database answers', async () => {
  const { app } = await testApp()
  for (const url of ['/health/live', '/health/ready']) {
    const response = await app.inject(url)
    expect(response.statusCode).toBe(200)
    expect(response.json()).toEqual({ status: 'ok' })
  }
})

it('is live but not ready when the database is gone, and says so within its time', async () => {
  const { server, stop } = await ownServer()
  const app = await buildApp({ log: false, dsn: server.dsn, pool: { minSize: 1, maxSize: 2 } })
  await stop()
  const ready = await app.inject('/health/ready')
  expect(ready.statusCode).toBe(503)
  expect(ready.headers['retry-after']).toBe('1')
  expect(ready.json()).toEqual({ error: 'the database does not answer', details: [] })
  expect((await app.inject('/health/live')).statusCode).toBe(200)
  await app.close()
})

it('shows the pool to Prometheus and as JSON', async () => {
  const { app } = await testApp({ minSize: 2, maxSize: 3 })
  await until('both connections are idle', () => app.pool.idleSize === 2)
  const metrics = await app.inject('/metrics')
  expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(metrics.body).toContain('# TYPE rockpool_connections gauge\nrockpool_connections 2\n')
  expect(metrics.body).toContain('\nrockpool_slots{state="idle"} 2\n')
  expect(metrics.body).toContain('\nrockpool_opened_total 2\n')
  expect(metrics.body).toContain('\nrockpool_connections_max 3\n')
  expect(metrics.body.endsWith('\n')).toBe(true)
  expect((await app.inject('/pool.json')).json()).toMatchObject({ idle: 2, waiting: 0 })
})

it('describes itself', async () => {
  const { app } = await testApp()
  const api = (await app.inject('/openapi.json')).json()
  expect(Object.keys(api.paths)).toEqual(
    expect.arrayContaining([
      '/tasks',
      '/tasks/{id}',
      '/health/live',
      '/health/ready',
      '/metrics',
      '/pool.json',
    ]),
  )
  expect(Object.keys(api.paths['/tasks'])).toEqual(['post', 'get'])
  for (const status of ['201', '422', '503']) {
    expect(api.paths['/tasks'].post.responses).toHaveProperty(status)
  }
  const docs = await app.inject('/docs')
  expect(docs.statusCode).toBe(200)
  expect(docs.headers['content-type']).toContain('text/html')
})
