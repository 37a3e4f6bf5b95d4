import { createHash, randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Account, serverAccount } from './account.ts'
import { installedPostgres, reachableBy } from './binaries.ts'
import { Cluster } from './cluster.ts'
import { lockFolder } from './folder-lock.ts'
import { freePort } from './free-port.ts'

export interface EmbeddedDatabase {
  /** With its password: not for logs. */
  dsn: string
  folder: string
  port: number
  /** Stops the server and lets go of the folder. */
  stop(): Promise<void>
}

const role = 'tasks'
const projectFolder = fileURLToPath(new URL('../../../../', import.meta.url))

/** `initdb` refuses a folder with something in it, so the password joins the data afterwards. */
const passwordFile = 'rockpool.password'

/**
 * Starts the PostgreSQL that npm installed, on 127.0.0.1 and a free port, with its data in `folder` (by default
 * `.rockpool/tasks-db` of the project). A server that an earlier service left running is stopped first.
 *
 * @throws Error where another service runs on the folder, or the server does not start.
 */
export async function startEmbedded(chosenFolder?: string): Promise<EmbeddedDatabase> {
  const account = await serverAccount()
  const installed = await installedPostgres()
  const shelter = join('/var/lib/rockpool', fingerprint(installed))
  const home = await reachableBy(account, installed, shelter)
  const fallback = join(home === installed ? join(projectFolder, '.rockpool') : shelter, 'tasks-db')
  const folder = await makeFolder(chosenFolder ?? fallback, account)
  const unlock = await lockFolder(folder)
  try {
    const at = (data: string) =>
      new Cluster({
        bin: join(home, 'bin'),
        data: join(folder, data),
        log: join(folder, 'server.log'),
        account,
      })
    const cluster = at('data')
    if (!(await exists(cluster.data))) await create(at('data.draft'), cluster, account)
    if (await cluster.isRunning()) await cluster.stop()
    const port = await startOnFreePort(cluster)
    const password = await readFile(join(cluster.data, passwordFile), 'utf8')
    return {
      dsn: `postgres://${role}:${password}@127.0.0.1:${port}/postgres`,
      folder,
      port,
      stop: async () => {
        await cluster.stop()
        await unlock()
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

async function makeFolder(path: string, account: Account): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await mkdir(path, { recursive: true, mode: 0o700 })
  const folder = await realpath(path)
  await own(folder, account)
  return folder
}

async function own(path: string, { uid, gid }: Account): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid)
}

/** The data appear under their own name in one step, so a half-done attempt is never taken for a database. */
async function create(draft: Cluster, final: Cluster, account: Account): Promise<void> {
  await rm(draft.data, { recursive: true, force: true })
  const password = randomBytes(24).toString('base64url')
  const secret = join(dirname(draft.data), passwordFile)
  await writeFile(secret, password, { mode: 0o600 })
  await own(secret, account)
  try {
    await draft.initialise([
      `--username=${role}`,
      `--pwfile=${secret}`,
      '--auth=scram-sha-256',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ])
  } finally {
    await rm(secret, { force: true })
  }
  await draft.write(passwordFile, password)
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
      max_connections: 100,
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

function fingerprint(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12)
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
