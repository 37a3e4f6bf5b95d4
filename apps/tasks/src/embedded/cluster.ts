import { execFile } from 'node:child_process'
import { chown, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Account } from './account.ts'

const run = promisify(execFile)

export interface ClusterOptions {
  /** The folder that holds `initdb`, `pg_ctl` and `postgres`. */
  bin: string
  data: string
  /** The file that the server's log is appended to. */
  log: string
  account: Account
}

/** One data directory and the server on it, by way of PostgreSQL's own `initdb` and `pg_ctl`. */
export class Cluster {
  readonly data: string
  readonly log: string
  readonly #bin: string
  readonly #account: Account

  constructor(options: ClusterOptions) {
    this.data = options.data
    this.log = options.log
    this.#bin = options.bin
    this.#account = options.account
  }

  async initialise(flags: readonly string[]): Promise<void> {
    await this.#run('initdb', ['--pgdata', this.data, '--encoding=UTF8', '--no-instructions', ...flags])
  }

  /** Replaces postgresql.conf; counts from the next start. */
  async configure(settings: Record<string, string | number>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${quoted(value)}'\n`)
    await this.write('postgresql.conf', lines.join(''))
  }

  /** Writes a file of the data directory that only the server's account may read. */
  async write(name: string, text: string): Promise<void> {
    const path = join(this.data, name)
    await writeFile(path, text, { mode: 0o600 })
    const { uid, gid } = this.#account
    if (uid !== undefined && gid !== undefined) await chown(path, uid, gid)
  }

  /** Starts the server, apart from this process's terminal and signals, and waits until it takes connections. */
  async start(): Promise<void> {
    const before = (await this.#logText()).length
    try {
      await this.#run('pg_ctl', ['start', '--pgdata', this.data, '--log', this.log, '--wait', '--timeout=60'])
    } catch (cause) {
      const told = (await this.#logText()).slice(before).trim().split('\n').slice(-8).join('\n')
      throw new Error(`PostgreSQL did not start on ${this.data}:\n${told}`, { cause })
    }
  }

  /** Ends the server's sessions and stops it; as a crash would, where it does not come to an end by itself. */
  async stop(): Promise<void> {
    const stop = ['stop', '--pgdata', this.data, '--wait', '--timeout=20']
    try {
      await this.#run('pg_ctl', [...stop, '--mode=fast'])
    } catch {
      await this.#run('pg_ctl', [...stop, '--mode=immediate'])
    }
  }

  /** Whether a server runs on the data directory, whoever started it. */
  async isRunning(): Promise<boolean> {
    await this.#dropForeignPidFile()
    try {
      await this.#run('pg_ctl', ['status', '--pgdata', this.data])
      return true
    } catch {
      return false
    }
  }

  /** What postmaster.pid says, true or not. */
  async postmasterPid(): Promise<number | undefined> {
    const text = await readFile(join(this.data, 'postmaster.pid'), 'utf8').catch(() => '')
    const pid = Number.parseInt(text, 10)
    return Number.isNaN(pid) ? undefined : pid
  }

  /**
   * After a crash of the machine or the container, another process may have the id that postmaster.pid names, and
   * PostgreSQL would take it for a server. A server's working directory is its data directory.
   */
  async #dropForeignPidFile(): Promise<void> {
    const pid = await this.postmasterPid()
    if (pid === undefined) return
    const workingDirectory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
    if (workingDirectory === undefined || workingDirectory === (await realpath(this.data))) return
    await rm(join(this.data, 'postmaster.pid'), { force: true })
  }

  async #logText(): Promise<string> {
    return readFile(this.log, 'utf8').catch(() => '')
  }

  async #run(command: string, args: readonly string[]): Promise<void> {
    await run(join(this.#bin, command), args, { ...this.#account, cwd: '/', env: serverEnvironment() })
  }
}

/** This process's environment without what would steer PostgreSQL or translate its messages. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name))
  return { ...Object.fromEntries(kept), LC_ALL: 'C' }
}

function quoted(value: string | number): string {
  return String(value).replaceAll("'", "''")
}
