import { Agent, request } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { adminQuery, type Backend, backends, freshDatabase } from '../../../test/support/servers.ts'
import { until } from '../../../test/support/until.ts'
import { buildApp } from '../src/app.ts'
import { listening } from './support/test-app.ts'

const callers = 100
const rounds = 50

/** Status and parsed body of one request. */
function call(agent: Agent, method: string, url: string, body?: object): Promise<[number, { id: number }]> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    request(url, { agent, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve([response.statusCode!, JSON.parse(text)])).on('error', reject)
    })
      .on('error', reject)
      .end(body && JSON.stringify(body))
  })
}

it('10,000 requests of 100 callers: none lost, none failed, and never more than 20 backends', async () => {
  const dsn = await freshDatabase()
  const app = await buildApp({ log: false, dsn, pool: { minSize: 10, maxSize: 20 } })
  const agent = new Agent({ keepAlive: true, maxSockets: callers })
  onTestFinished(async () => {
    agent.destroy()
    await app.close()
  })
  const url = await listening(app)

  const statuses = new Map<number, number>()
  const ids = new Set<number>()
  const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1)
  const caller = async () => {
    for (let n = 0; n < rounds; n++) {
      const [created, task] = await call(agent, 'POST', `${url}/tasks`, { title: `task ${n}` })
      count(created)
      ids.add(task.id)
      const [read, same] = await call(agent, 'GET', `${url}/tasks/${task.id}`)
      count(read)
      expect(same).toEqual(task)
    }
  }

  let loaded = true
  let most: Backend[] = []
  const watch = async () => {
    while (loaded) {
      const now = await backends(dsn)
      if (now.length > most.length) most = now
    }
  }
  const watching = watch()
  await Promise.all(Array.from({ length: callers }, caller))
  loaded = false
  await watching

  expect([...statuses].sort()).toEqual([
    [200, callers * rounds],
    [201, callers * rounds],
  ])
  expect(ids.size).toBe(callers * rounds)
  expect(await adminQuery(dsn, 'select count(*)::int as n from tasks')).toEqual([{ n: callers * rounds }])
  expect(most.length).toBeGreaterThanOrEqual(10)
  expect(most.length).toBeLessThanOrEqual(20)
  const { idle, size, waiting, leased } = app.pool.stats()
  expect({ waiting, leased, idle }).toEqual({ waiting: 0, leased: 0, idle: size })
  await until('every backend is idle', async () => (await backends(dsn)).every((one) => one.state === 'idle'))
}, 60_000)
