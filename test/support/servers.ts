import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import type { Certificates } from './certificates.ts'
import { type RunningServer, startTestServer, type TestServer } from './test-server.ts'

export type { AuthenticationMethod, RunningServer, TestRole, TestServer } from './test-server.ts'

/** Every server of this run, the embedded one first. */
export function servers(): TestServer[] {
  return inject('servers')
}

/** The server for a test that does not care about the version. */
export function anyServer(): TestServer {
  return servers()[0]!
}

/** A server that this test may stop, freeze and crash; the caller stops it in the end. */
export function ownServer(like: TestServer = anyServer()): Promise<RunningServer> {
  return startTestServer(like.bin, certificates())
}

export function certificates(): Certificates {
  return inject('certificates')
}

/** The DSN of an empty database that nobody else uses. It goes with its server at the end of the run. */
export async function freshDatabase(server: TestServer = anyServer()): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await adminQuery(server.dsn, `create database ${name}`)
  return `postgres://postgres@${server.host}:${server.port}/${name}`
}

/** Runs SQL by node-postgres on a connection of its own, so that a test can look at the server from outside. */
export async function adminQuery<Row extends object>(
  dsn: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: dsn, application_name: 'test admin' })
  await client.connect()
  try {
    const { rows } = await client.query<Row>(sql, values)
    return rows
  } finally {
    await client.end()
  }
}

export interface Backend {
  pid: number
  state: string
  query: string
  applicationName: string
}

/** The processes of the DSN's database that are in pg_sleep, and not only being told to. */
export async function sleepers(dsn: string): Promise<number[]> {
  const rows = await adminQuery<{ pid: number }>(
    dsn,
    "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'",
  )
  return rows.map(({ pid }) => pid)
}

/** The client backends of the DSN's database, but for the one that asks. */
export function backends(dsn: string): Promise<Backend[]> {
  return adminQuery<Backend>(
    dsn,
    `select pid, state, query, application_name as "applicationName" from pg_stat_activity
     where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
     order by backend_start`,
  )
}
