import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { serverAccount } from '../../../apps/tasks/src/embedded/account.ts'
import type { TestServer } from '../../support/servers.ts'

const run = promisify(execFile)

/** Ends all sessions (`'fast'`), or all processes as a crash would (`'immediate'`). */
export function stop(server: TestServer, mode: 'fast' | 'immediate'): Promise<void> {
  return control(server, ['stop', `--mode=${mode}`])
}

/** Does not wait until the server takes connections. */
export function start(server: TestServer): Promise<void> {
  return control(server, ['start', '--no-wait', `--log=${server.log}`])
}

/** The process that accepts connections; another one after each start. */
export async function postmaster({ data }: TestServer): Promise<number> {
  return Number.parseInt(await readFile(join(data, 'postmaster.pid'), 'utf8'), 10)
}

export function signal(processes: readonly number[], name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  for (const pid of processes) process.kill(pid, name)
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function control({ bin, data }: TestServer, args: readonly string[]): Promise<void> {
  const account = await serverAccount(data)
  await run(join(bin, 'pg_ctl'), ['--pgdata', data, ...args], { ...account, cwd: '/' })
}
