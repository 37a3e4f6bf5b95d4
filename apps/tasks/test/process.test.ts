import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { anyServer, backends, freshDatabase } from '../../../test/support/servers.ts'
import { until } from '../../../test/support/until.ts'
import { rawClient, refusesConnections } from './support/raw-client.ts'
import { address, projectFolder, type Started, start, startService } from './support/test-service.ts'

const small = { POOL_MIN_SIZE: '1', POOL_MAX_SIZE: '3' }

beforeAll(async () => {
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: projectFolder })
}, 120_000)

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rockpool-service-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Has a request to the service wait for a lock until `open` is called. */
async function heldUp(service: Started, dsn: string) {
  const url = await address(service)
  const locker = new pg.Client(dsn)
  await locker.connect()
  await locker.query('begin; lock table tasks in access exclusive mode')
  const answer = fetch(`${url}/tasks`)
  await until('the request waits for the lock', async () =>
    (await backends(dsn)).some((one) => one.state === 'active' && one.query.includes('from tasks')),
  )
  const open = async () => {
    await locker.query('rollback')
    await locker.end()
  }
  return { answer, open, url }
}

it.for(['SIGTERM', 'SIGINT'] as const)(
  'on %s it answers what is in flight and exits with 0',
  async (signal) => {
    const dsn = await freshDatabase()
    const service = startService({ ...small, DATABASE_URL: dsn })
    const { answer, open, url } = await heldUp(service, dsn)
    service.child.kill(signal)
    await until('it takes no new connections', () => refusesConnections(url))
    await open()
    const response = await answer
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ items: [], next: null })
    expect(await service.exit).toBe(0)
    expect(await backends(dsn)).toEqual([])
  },
)

it('on a second signal it does not wait any longer, and exits with 1', async () => {
  const dsn = await freshDatabase()
  const service = startService({ ...small, DATABASE_URL: dsn })
  const { answer, open, url } = await heldUp(service, dsn)
  answer.catch(() => {})
  service.child.kill('SIGTERM')
  await until('it takes no new connections', () => refusesConnections(url))
  // Signals within half a second are one wish, so it is repeated until it is heard as another.
  const again = setInterval(() => service.child.kill('SIGTERM'), 100)
  onTestFinished(() => clearInterval(again))
  expect(await service.exit).toBe(1)
  expect(service.output()).toContain('SIGTERM again: not waiting any longer')
  await open()
})

const upload =
  'POST /tasks HTTP/1.1\r\nhost: tasks\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n'

it.for([
  ['sends nothing', ''],
  ['sent half the head of a request', upload.slice(0, 30)],
  ['sent half the body of a request', `${upload}{"title":`],
  ['is kept alive', 'GET /health/live HTTP/1.1\r\nhost: tasks\r\n\r\n'],
] as const)('a connection that %s does not hold up the end', async ([, sent]) => {
  const service = startService({ ...small, DATABASE_URL: await freshDatabase() })
  await rawClient(await address(service), sent)
  service.child.kill('SIGTERM')
  expect(await service.exit).toBe(0)
})

it('an end that does not wait leaves no embedded server behind', async () => {
  const data = await folder()
  const service = startService({ ...small, ROCKPOOL_DATA_DIR: data })
  await rawClient(await address(service), `${upload}{"title":`)
  const postmaster = (await readFile(join(data, 'data', 'postmaster.pid'), 'utf8')).split('\n')
  const databasePort = Number(postmaster[3])
  const again = setInterval(() => service.child.kill('SIGTERM'), 100)
  onTestFinished(() => clearInterval(again))
  expect(await service.exit).toBe(1)
  expect(service.output()).toContain('SIGTERM again: not waiting any longer')
  await expect(once(connect(databasePort, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED')
})

it('says which database it uses, and never the password', async () => {
  const { roles } = anyServer()
  const secret = roles.scram.password
  const dsn = await freshDatabase()
  const login = `${roles.scram.user}:${secret}@`
  const service = startService({ ...small, DATABASE_URL: dsn.replace('postgres@', login) })
  expect(await service.exit).toBe(1)
  expect(service.output()).toContain('permission denied for schema public')
  expect(service.output()).not.toContain(secret)
  const allowed = startService({ ...small, DATABASE_URL: dsn.replace('postgres@', `postgres:${secret}@`) })
  await address(allowed)
  expect(allowed.output()).toMatch(/"the database is the one of DATABASE_URL: [^"]*test_/)
  expect(allowed.output()).not.toContain(secret)
})

it('shows its password on no page, in no metric and in no line of its log, also when it is changed', async () => {
  const canary = 'canary-f3bcc908b2fb'
  const dsn = await freshDatabase()
  const admin = new pg.Client(dsn)
  await admin.connect()
  onTestFinished(() => admin.end())
  const role = `canary_${process.pid}`
  await admin.query(`create role ${role} superuser login in role needs_scram password '${canary}'`)
  const service = startService({
    POOL_MIN_SIZE: '0',
    POOL_MAX_SIZE: '2',
    POOL_ACQUIRE_TIMEOUT: '1s',
    DATABASE_URL: dsn.replace('postgres@', `${role}:${canary}@`),
  })
  const url = await address(service)
  const paths = [
    '/tasks',
    '/tasks/1',
    '/health/ready',
    '/metrics',
    '/pool.json',
    '/docs',
    '/openapi.json',
    '/no',
  ]
  const pages = async () => {
    const answers = await Promise.all(paths.map((path) => fetch(url + path)))
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    return { statuses: answers.map(({ status }) => status), text: texts.join('\n') }
  }
  const well = await pages()
  expect(well.statuses.slice(0, 4)).toEqual([200, 404, 200, 200])
  await admin.query(`alter role ${role} password 'another'`)
  await until('its log tells of the refused password', async () => {
    // Each time anew: a connection that was let in before may show itself only now.
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role])
    await pages()
    return service.output().includes('password authentication failed')
  })
  const ill = await pages()
  expect(ill.statuses.slice(0, 4)).toEqual([503, 503, 503, 200])
  expect(well.text + ill.text + service.output()).not.toContain(canary)
  service.child.kill('SIGTERM')
  await service.exit
  expect(service.output()).not.toContain(canary)
})

it.for([
  [{ POOL_MAX_SIZE: 'many' }, 'POOL_MAX_SIZE: "many" is not a whole number from 1 up'],
  [{ DATABASE_URL: 'mysql://root:hidden@localhost/x' }, 'did not start'],
  [{ DATABASE_URL: 'postgres://nobody:hidden@127.0.0.1:1/x' }, 'ECONNREFUSED'],
] as const)('with %o it says in one line what is wrong and exits with 1', async ([env, reason]) => {
  const service = startService(env)
  expect(await service.exit).toBe(1)
  const lines = service.output().trimEnd().split('\n')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^the task service did not start: /)
  expect(lines[0]).toContain(reason)
  expect(lines[0]).not.toContain('hidden')
})

it('a port in use ends the start, and leaves no embedded server behind', async () => {
  const first = startService({ ...small, ROCKPOOL_DATA_DIR: await folder() })
  const port = new URL(await address(first)).port
  const data = await folder()
  const second = startService({ ...small, ROCKPOOL_DATA_DIR: data, PORT: port })
  expect(await second.exit).toBe(1)
  expect(second.output()).toContain('EADDRINUSE')
  const third = startService({ ...small, ROCKPOOL_DATA_DIR: data })
  await address(third)
  expect(third.output()).toContain('embedded PostgreSQL')
})

it('keeps its tasks on the embedded database, killed or stopped, whatever the working directory', async () => {
  const env = { ...small, ROCKPOOL_DATA_DIR: await folder() }
  const first = startService(env)
  const created = await fetch(`${await address(first)}/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'survives' }),
  })
  expect(created.status).toBe(201)
  first.child.kill('SIGKILL')
  expect(await first.exit).toBe('SIGKILL')

  const second = startService(env, tmpdir())
  expect(await (await fetch(`${await address(second)}/tasks`)).json()).toMatchObject({
    items: [{ title: 'survives' }],
  })
  expect(second.output()).toContain(`an embedded PostgreSQL with its data in ${env.ROCKPOOL_DATA_DIR}`)
  second.child.kill('SIGTERM')
  expect(await second.exit).toBe(0)

  const third = startService(env)
  expect(await (await fetch(`${await address(third)}/tasks`)).json()).toMatchObject({
    items: [{ title: 'survives' }],
  })
  third.child.kill('SIGTERM')
  expect(await third.exit).toBe(0)
})

it('one Ctrl-C on `npm start` stops it in order, though npm passes it on a second time', async () => {
  const service = start('npm', ['start'], { ...small, DATABASE_URL: await freshDatabase() })
  await address(service)
  process.kill(-service.child.pid!, 'SIGINT')
  expect(await service.exit).toBe(0)
  expect(service.output()).not.toContain('again')
})
