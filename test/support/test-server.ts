import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { giveTo, serverAccount } from '../../apps/tasks/src/embedded/account.ts'
import { Cluster } from '../../apps/tasks/src/embedded/cluster.ts'
import { freePort } from '../../apps/tasks/src/embedded/free-port.ts'
import { serverFolder } from './abandoned.ts'
import type { Certificates } from './certificates.ts'

export interface TestRole {
  user: string
  /** Empty for `trust` and `certificate`. */
  password: string
  /** In its own spelling, over TCP, for the database `postgres`. */
  dsn: string
}

export type AuthenticationMethod = 'trust' | 'password' | 'md5' | 'scram' | 'certificate'

/** A PostgreSQL of this run of the tests. Plain data, so that it can be handed to the workers. */
export interface TestServer {
  /** 15, 18 … */
  major: number
  host: '127.0.0.1'
  port: number
  /** A host to connect to over the unix socket. */
  socketDirectory: string
  /** The superuser, without a password, over TCP, in the database `postgres`. */
  dsn: string
  /** One role for each way to log in; members of the group `needs_<method>` log in the same way. */
  roles: Record<AuthenticationMethod, TestRole>
  /** `tlsOnly` and `plainOnly` take anyone, but over such connections only. */
  databases: { tlsOnly: string; plainOnly: string }
  /** For faults: `kill -STOP`, a look at the log. */
  postmasterPid: number
  data: string
  log: string
  /** The folder of `pg_ctl` and the other programs. */
  bin: string
}

const passwords: Record<AuthenticationMethod, string> = {
  trust: '',
  password: 'cleartext-secret',
  md5: 'md5-secret',
  scram: 'scram-secret',
  certificate: '',
}

/** First match wins. */
const accessRules = `
hostnossl tls_only   all               all reject
hostssl   plain_only all               all reject
hostssl   all        +needs_certificate all cert
host      all        +needs_certificate all reject
host      all        +needs_password    all password
host      all        +needs_md5         all md5
host      all        +needs_scram       all scram-sha-256
local     all        +needs_password    password
local     all        +needs_md5         md5
local     all        +needs_scram       scram-sha-256
local     all        all                trust
host      all        all            all trust
`

export interface RunningServer {
  server: TestServer
  /** Stops the server and removes its data. */
  stop(): Promise<void>
}

/** Starts a server on data of its own, in a temporary folder with a path short enough for a unix socket. */
export async function startTestServer(bin: string, certificates: Certificates): Promise<RunningServer> {
  const account = await serverAccount()
  const directory = await serverFolder()
  await giveTo(account, directory)
  const cluster = new Cluster({ bin, data: join(directory, 'data'), account })
  const stop = async () => {
    await cluster.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const port = await launch(cluster, directory, certificates)
    return { server: await furnish(bin, cluster, directory, port), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function launch(cluster: Cluster, directory: string, certificates: Certificates): Promise<number> {
  await cluster.initialise(['--username=postgres', '--auth=trust', '--locale=C', '--no-sync'])
  const port = await freePort()
  await cluster.configure({
    port,
    listen_addresses: '127.0.0.1, ::1',
    unix_socket_directories: directory,
    max_connections: 300,
    fsync: 'off',
    full_page_writes: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ssl: 'on',
    ssl_ca_file: 'authority.crt',
    ssl_cert_file: 'server.crt',
    ssl_key_file: 'server.key',
  })
  await cluster.write('pg_hba.conf', accessRules)
  await cluster.write('authority.crt', certificates.authority.cert)
  await cluster.write('server.crt', certificates.server.cert)
  await cluster.write('server.key', certificates.server.key)
  await cluster.start()
  return port
}

async function furnish(bin: string, cluster: Cluster, directory: string, port: number): Promise<TestServer> {
  const dsn = `postgres://postgres@127.0.0.1:${port}/postgres`
  const client = new pg.Client(dsn)
  await client.connect()
  try {
    const roles = {} as Record<AuthenticationMethod, TestRole>
    for (const [method, password] of Object.entries(passwords) as [AuthenticationMethod, string][]) {
      const user = `rockpool_${method}`
      await client.query(`set password_encryption to '${method === 'md5' ? 'md5' : 'scram-sha-256'}'`)
      await client.query(`create role needs_${method}`)
      const secret = password === '' ? '' : `password '${password}'`
      await client.query(`create role ${user} login in role needs_${method} ${secret}`)
      const login = password === '' ? user : `${user}:${password}`
      roles[method] = { user, password, dsn: `postgres://${login}@127.0.0.1:${port}/postgres` }
    }
    await client.query('create database tls_only')
    await client.query('create database plain_only')
    const version = await client.query<{ number: string }>(
      "select current_setting('server_version_num') as number",
    )
    return {
      major: Math.floor(Number(version.rows[0]!.number) / 10_000),
      host: '127.0.0.1',
      port,
      socketDirectory: directory,
      dsn,
      roles,
      databases: { tlsOnly: 'tls_only', plainOnly: 'plain_only' },
      postmasterPid: (await cluster.postmasterPid())!,
      data: cluster.data,
      log: cluster.log,
      bin,
    }
  } finally {
    await client.end()
  }
}
