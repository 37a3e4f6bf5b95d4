import { expect, it } from 'vitest'
import { adminQuery, anyServer, backends, freshDatabase } from '../../../test/support/servers.ts'
import { until } from '../../../test/support/until.ts'
import { buildApp } from '../src/app.ts'

const pool = { minSize: 1, maxSize: 2 }

it('services that start side by side bring the schema up to date once', async () => {
  const dsn = await freshDatabase()
  const apps = await Promise.all(Array.from({ length: 5 }, () => buildApp({ log: false, dsn, pool })))
  expect(await adminQuery(dsn, 'select name from schema_migrations')).toEqual([{ name: '0001-tasks.sql' }])
  await Promise.all(apps.map((app) => app.close()))
})

it('a schema that is up to date is left alone, and so are the tasks', async () => {
  const dsn = await freshDatabase()
  const first = await buildApp({ log: false, dsn, pool })
  await first.inject({ method: 'POST', url: '/tasks', payload: { title: 'stays' } })
  await first.close()
  const second = await buildApp({ log: false, dsn, pool })
  expect((await second.inject('/tasks')).json()).toMatchObject({ items: [{ title: 'stays' }] })
  await second.close()
})

it('a start that may not change the schema fails and leaves no connection open', async () => {
  const { user } = anyServer().roles.trust
  const dsn = await freshDatabase()
  const start = buildApp({ log: false, dsn: dsn.replace('postgres@', `${user}@`), pool })
  await expect(start).rejects.toThrow('permission denied for schema public')
  await until('no backend is left', async () => (await backends(dsn)).length === 0)
})
