import { execFile } from 'node:child_process'
import { chown, stat } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The system account that a server runs as; an empty object is the account of this process. */
export interface Account {
  uid?: number
  gid?: number
}

/** The first of these that exists lends its id, as PostgreSQL refuses to run as root. */
const standIns = ['postgres', 'nobody']

/**
 * The account to run PostgreSQL as: this process's own or, where that is root, whoever owns `folder` already, else
 * the system's `postgres` or `nobody`.
 *
 * @throws Error where this is root and the system has neither.
 */
export async function serverAccount(folder?: string): Promise<Account> {
  if (process.getuid?.() !== 0) return {}
  const owned = folder === undefined ? undefined : await stat(folder).catch(() => undefined)
  if (owned !== undefined && owned.uid !== 0) return { uid: owned.uid, gid: owned.gid }
  for (const name of standIns) {
    const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)])
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new Error(
    `PostgreSQL does not run as root, and there is no account ${standIns.join(' or ')} to run it as: ` +
      'start as another user, or set DATABASE_URL',
  )
}

/** Makes `path` the account's. */
export async function giveTo({ uid, gid }: Account, path: string): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid)
}

async function idOf(flag: string, name: string): Promise<number | undefined> {
  try {
    return Number((await run('id', [flag, name])).stdout)
  } catch {
    return undefined
  }
}
