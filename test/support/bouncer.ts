import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { giveTo, serverAccount } from '../../apps/tasks/src/embedded/account.ts'
import { freePort } from '../../apps/tasks/src/embedded/free-port.ts'
import type { TestServer } from './servers.ts'
import { until } from './until.ts'

/** The program `pgbouncer`, where one is installed. */
export async function findBouncer(): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']) {
    const program = join(folder, 'pgbouncer')
    const exists = await access(program).then(
      () => true,
      () => false,
    )
    if (exists) return program
  }
  return undefined
}

export interface Bouncer {
  port: number
  stop(): Promise<void>
}

/** A PgBouncer in transaction mode before `server`, which gives each transaction to the next of its connections. */
export async function startBouncer(program: string, server: TestServer): Promise<Bouncer> {
  const account = await serverAccount()
  const folder = await mkdtemp(join(tmpdir(), 'rockpool-bouncer-'))
  const port = await freePort()
  const settings = join(folder, 'pgbouncer.ini')
  await writeFile(
    settings,
    `[databases]
* = host=${server.host} port=${server.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
min_pool_size = 3
server_round_robin = 1
`,
  )
  await giveTo(account, folder)
  await giveTo(account, settings)
  const child = spawn(program, [settings], { ...account, stdio: 'ignore' })
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await until('the bouncer listens', () => listens(port))
  } catch (error) {
    await stop()
    throw error
  }
  return { port, stop }
}

async function listens(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy())
}
