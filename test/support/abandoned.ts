import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account } from '../../apps/tasks/src/embedded/account.ts'
import { Cluster } from '../../apps/tasks/src/embedded/cluster.ts'

const name = /^rockpool-server-(\d+)-/

/** A temporary folder for a server, named after this process. */
export function serverFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `rockpool-server-${process.pid}-`))
}

/** Ends and removes the servers of runs that were killed before they could. */
export async function removeAbandoned(bin: string, account: Account): Promise<void> {
  for (const entry of await readdir(tmpdir())) {
    const owner = name.exec(entry)?.[1]
    if (owner === undefined || isAlive(Number(owner))) continue
    const directory = join(tmpdir(), entry)
    try {
      await new Cluster({ bin, data: join(directory, 'data'), account }).stop()
      await rm(directory, { recursive: true, force: true })
    } catch {
      // It is another account's, or another run removes it at this moment.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
