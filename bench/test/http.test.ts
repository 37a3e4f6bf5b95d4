import { once as event } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { adminQuery, freshDatabase } from '../../test/support/servers.ts'
import { startServer } from '../src/http/server-process.ts'
import { checkSample, countTasks, fill, ownSchema, tasks } from '../src/http/stage.ts'
import { once } from '../src/server.ts'

const program = (script: string) => ({ command: process.execPath, args: ['-e', script] })

describe('a server of the HTTP topic', () => {
  it('tells where it listens, has its environment, and is stopped', async () => {
    const script =
      "require('node:http').createServer((_, response) => response.end(process.env.GREETING))" +
      ".listen(0, '127.0.0.1', function () { console.error('on http://127.0.0.1:' + this.address().port) })"
    const server = await startServer(program(script), { GREETING: 'hello' })
    expect(await (await fetch(server.origin)).text()).toBe('hello')
    await server.stop()
    await expect(fetch(server.origin)).rejects.toThrow()
  })

  it('that ends before it listens is an error with what it wrote', async () => {
    await expect(startServer(program("throw new Error('no database')"), {})).rejects.toThrow('no database')
  })

  it('that is not there is an error', async () => {
    await expect(startServer({ command: 'rockpool-no-such-program', args: [] }, {})).rejects.toThrow('ENOENT')
  })
})

it('the servers share a schema of their own, which is dropped in the end', async () => {
  const dsn = await freshDatabase()
  const schema = await ownSchema(dsn)
  await once(schema.dsn, (connection) =>
    connection.execute('create table tasks (id int generated always as identity, title text)'),
  )
  await fill(schema.dsn)
  expect(await countTasks(schema.dsn)).toBe(tasks)
  const schemas = () =>
    adminQuery(
      dsn,
      "select tablename from pg_tables where schemaname like 'rockpool_bench_%' or tablename = 'tasks'",
    )
  expect(await schemas()).toEqual([{ tablename: 'tasks' }])
  await schema.drop()
  expect(await schemas()).toEqual([])
})

describe('the sample before and after a load', () => {
  async function answering(answer: (id: number) => object): Promise<string> {
    const server = createServer((request, response) => {
      response.end(JSON.stringify(answer(Number(request.url!.split('/').at(-1)))))
    }).listen(0, '127.0.0.1')
    await event(server, 'listening')
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('passes where each task is the asked one', async () => {
    const origin = await answering((id) => ({ id, title: `task ${id}`, done: false }))
    await expect(checkSample(origin, '/tasks/')).resolves.toBeUndefined()
  })

  it('fails where one is another', async () => {
    const origin = await answering(() => ({ id: 1, title: 'task 1', done: false }))
    await expect(checkSample(origin, '/tasks/')).rejects.toThrow('/tasks/500: 200 {"id":1')
  })
})
