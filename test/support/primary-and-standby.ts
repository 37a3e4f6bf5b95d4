import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { giveTo, serverAccount } from '../../apps/tasks/src/embedded/account.ts'
import { Cluster } from '../../apps/tasks/src/embedded/cluster.ts'
import { freePort } from '../../apps/tasks/src/embedded/free-port.ts'
import { serverFolder } from './abandoned.ts'
import { adminQuery, anyServer } from './servers.ts'
import type { TestServer } from './test-server.ts'

const run = promisify(execFile)

export interface ReplicatedServer {
  host: '127.0.0.1'
  port: number
  /** The superuser, without a password, in the database `postgres`. */
  dsn: string
  /** Ends its sessions and stops it; its data stay until the end. */
  stop(): Promise<void>
}

export interface Replication {
  primary: ReplicatedServer
  /** Follows the primary by streaming replication. */
  standby: ReplicatedServer
  /** Makes the standby a primary; resolves when it takes writes. The old primary is left as it is. */
  promote(): Promise<void>
  /** Stops both and removes their data. */
  stop(): Promise<void>
}

const accessRules = 'host all all all trust\nhost replication all all trust\n'

/** A primary and its standby, of the same PostgreSQL as `like`; the caller stops them in the end. */
export async function primaryAndStandby(like: TestServer = anyServer()): Promise<Replication> {
  const [first, second] = [await cluster(like.bin), await cluster(like.bin)]
  const stop = async () => {
    await Promise.all([first, second].map((one) => one.stop()))
    for (const { data } of [first, second]) await rm(dirname(data), { recursive: true, force: true })
  }
  try {
    const [port, standbyPort] = [await freePort(), await freePort()]
    await first.initialise(['--username=postgres', '--auth=trust', '--locale=C', '--no-sync'])
    await first.write('pg_hba.conf', accessRules)
    // It never ran, so that a plain copy is a whole backup; not every set of programs has pg_basebackup.
    await run('cp', ['-a', first.data, second.data])
    await first.configure(settings(port))
    await second.configure({
      ...settings(standbyPort),
      primary_conninfo: `host=127.0.0.1 port=${port} user=postgres`,
    })
    await second.write('standby.signal', '')
    await first.start()
    await second.start()
    const standby = described(second, standbyPort)
    return {
      primary: described(first, port),
      standby,
      promote: async () => void (await adminQuery(standby.dsn, 'select pg_promote()')),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function cluster(bin: string): Promise<Cluster> {
  const account = await serverAccount()
  const directory = await serverFolder()
  await giveTo(account, directory)
  return new Cluster({ bin, data: join(directory, 'data'), account })
}

function settings(port: number): Record<string, string | number> {
  return { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' }
}

function described(server: Cluster, port: number): ReplicatedServer {
  const host = '127.0.0.1'
  return { host, port, dsn: `postgres://postgres@${host}:${port}/postgres`, stop: () => server.stop() }
}
