import { randomBytes } from 'node:crypto'
import { describe, it, type TestContext } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { adminQuery, anyServer, freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { endOf } from './support/end-of.ts'
import { Observer } from './support/observer.ts'

const server = anyServer()

/** A role that logs in by its password, and a pool of its connections. */
async function login({ onTestFinished }: TestContext) {
  const role = `role_${randomBytes(6).toString('hex')}`
  const url = new URL(await freshDatabase(server))
  const database = url.pathname.slice(1)
  const admin = (sql: string) => adminQuery(server.dsn, sql)
  const end = `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`
  await admin(`create role ${role} login in role needs_scram password 'first'`)
  url.username = role
  url.password = 'first'
  const pool = await createPool(url.href, { minSize: 2, maxSize: 4 })
  onTestFinished(async () => {
    await pool.terminate()
    await admin(end)
    await admin(`drop role ${role}`)
  })
  const loseAll = async () => {
    await admin(end)
    await until('both are lost', () => pool.stats().totals.closed.lost === 2)
  }
  return { role, database, pool, dsn: url.href, admin, loseAll }
}

const failures = (pool: Pool) => pool.stats().totals.connectFailures

/** SQL that makes, or undoes, what keeps new connections of a role out of a database. */
type Measure = (role: string, database: string) => string

interface Refusal {
  what: string
  sqlState: string
  isForGood: boolean
  make: Measure
  undo: Measure
}

const refusals: Refusal[] = [
  {
    what: 'another password',
    sqlState: '28P01',
    isForGood: true,
    make: (role) => `alter role ${role} password 'second'`,
    undo: (role) => `alter role ${role} password 'first'`,
  },
  {
    what: 'no right to log in',
    sqlState: '28000',
    isForGood: true,
    make: (role) => `alter role ${role} nologin`,
    undo: (role) => `alter role ${role} login`,
  },
  {
    what: 'no connections allowed to the database',
    sqlState: '55000',
    isForGood: false,
    make: (_, database) => `alter database ${database} allow_connections off`,
    undo: (_, database) => `alter database ${database} allow_connections on`,
  },
  {
    what: 'no room for the role',
    sqlState: '53300',
    isForGood: false,
    make: (role) => `alter role ${role} connection limit 0`,
    undo: (role) => `alter role ${role} connection limit -1`,
  },
]

describe.for(refusals)('$what ($sqlState)', ({ sqlState, isForGood, make, undo }) => {
  it.concurrent('leaves those that are open, idle or in use, as they are', async (test) => {
    const { expect } = test
    const { pool, role, database, admin } = await login(test)
    const held = await pool.acquire()
    await admin(make(role, database))
    expect(await held.fetchVal('select 1')).toBe(1)
    await held.release()
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(failures(pool)).toBe(0)
  })

  it.concurrent('is told to new callers, in attempts that a crowd makes no more of', async (test) => {
    const { expect } = test
    const { pool, role, database, admin, loseAll } = await login(test)
    await admin(make(role, database))
    await loseAll()
    const before = failures(pool)
    const begun = performance.now()
    const ends = await Promise.all(Array.from({ length: 100 }, () => endOf(pool.acquire({ timeout: 600 }))))
    const seconds = (performance.now() - begun) / 1_000
    const refused = ends.filter((end) => end === `CONNECT ${sqlState}`).length
    const late = ends.filter((end) => end === `POOL_TIMEOUT ${sqlState}`).length
    expect(refused + late).toBe(100)
    if (isForGood) expect(refused).toBeGreaterThan(0)
    else expect(refused).toBe(0)
    // The delays between attempts begin at 25 ms; from the third on they are of 100 ms and more.
    expect(failures(pool) - before).toBeLessThanOrEqual(4 + 10 * seconds)
  })

  it.concurrent('is over: the pool serves within a second, and has its floor within two', async (test) => {
    const { expect } = test
    const { pool, dsn, role, database, admin, loseAll } = await login(test)
    await admin(make(role, database))
    await loseAll()
    await until('some connects have failed', () => failures(pool) > 2)
    const observer = new Observer(dsn)
    const accepts = observer.accepts()
    await admin(undo(role, database))
    const { at, took } = await accepts
    const since = () => performance.now() - at - 3 * took
    await until('it serves', async () => (await endOf(pool.fetchVal('select 1'))) === 'done')
    expect(since()).toBeLessThan(1_000)
    await until('its floor is back', () => pool.size >= 2)
    expect(since()).toBeLessThan(2_000)
  })
})
