import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Account, giveTo, serverAccount } from './account.ts'
import { installedPostgres, reachableBy } from './binaries.ts'
import { Cluster } from './cluster.ts'
import { lockFolder } from './folder-lock.ts'
import { freePort } from './free-port.ts'

export interface EmbeddedDatabase {
  /** With its password: not for logs. */
  dsn: string
  folder: string
  /** Stops the server and lets go of the folder. */
  stop(): Promise<void>
}

const role = 'tasks'
const passwordFile = 'rockpool.password'
const usualFolder = fileURLToPath(new URL('../../../../.rockpool/tasks-db', import.meta.url))

/**
 * Starts the PostgreSQL that npm installed, on 127.0.0.1 and a free port, with its data in `folder` (by default
 * `.rockpool/tasks-db` of the project). A server that an earlier service left running is stopped first. When
 * `abandoned` is aborted, the server is killed, before `abort` returns, and the folder is left as by a crash.
 *
 * @throws Error where another service runs on the folder, or the server does not start.
 */
export async function startEmbedded(
  folder = usualFolder,
  abandoned?: AbortSignal,
): Promise<EmbeddedDatabase> {
  const account = await serverAccount(folder)
  const bin = await programsFor(account)
  const home = await makeFolder(folder, account)
  const fromInside = account.uid !== undefined && process.platform === 'linux'
  const at = (data: string) => new Cluster({ bin, data: join(home, data), account, fromInside })
  const cluster = at('data')
  const kill = () => cluster.kill()
  const unlock = await lockFolder(home)
  const letGo = async () => {
    abandoned?.removeEventListener('abort', kill)
    await unlock()
  }
  try {
    if (await exists(cluster.data)) await cluster.stop()
    else await create(at('data.draft'), cluster, account)
    abandoned?.addEventListener('abort', kill)
    const port = await startOnFreePort(cluster)
    const password = await readFile(join(cluster.data, passwordFile), 'utf8')
    return {
      dsn: `postgres://${role}:${password}@127.0.0.1:${port}/postgres`,
      folder: home,
      stop: async () => {
        await cluster.stop()
        await letGo()
      },
    }
  } catch (error) {
    await letGo()
    throw error
  }
}

async function programsFor(account: Account): Promise<string> {
  const installed = await installedPostgres()
  const name = createHash('sha256').update(installed).digest('hex').slice(0, 12)
  return join(await reachableBy(account, installed, join('/var/cache/rockpool', name)), 'bin')
}

async function makeFolder(path: string, account: Account): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await mkdir(path, { recursive: true, mode: 0o700 })
  await giveTo(account, path)
  return realpath(path)
}

/** The data appear under their own name in one step, so a half-done attempt is never taken for a database. */
async function create(draft: Cluster, final: Cluster, account: Account): Promise<void> {
  await rm(draft.data, { recursive: true, force: true })
  const password = randomBytes(24).toString('base64url')
  const secret = join(dirname(draft.data), passwordFile)
  await writeFile(secret, password, { mode: 0o600 })
  await giveTo(account, secret)
  const flags = [
    `--username=${role}`,
    '--auth=scram-sha-256',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]
  await draft.initialise(flags, `../${passwordFile}`)
  await draft.write(passwordFile, password)
  await rm(secret)
  await rename(draft.data, final.data)
}

/** Another process may take the port between its choice and the start: then with another one. */
async function startOnFreePort(cluster: Cluster): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    await cluster.configure({
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 200,
      timezone: 'UTC',
      log_timezone: 'UTC',
    })
    try {
      await cluster.start()
      return port
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
