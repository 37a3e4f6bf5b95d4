import { execFile, spawnSync } from 'node:child_process'
import { mkdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Account, giveTo } from './account.ts'

const run = promisify(execFile)

export interface ClusterOptions {
  /** The folder that holds `initdb`, `pg_ctl` and `postgres`. */
  bin: string
  data: string
  account: Account
  /**
   * Whether the programs run inside the data directory and call it by a name that passes no other folder: so it may
   * lie where the account has no way to, as in a private folder of root's. Linux only, and not before PostgreSQL 16.
   */
  fromInside?: boolean
}

/** One data directory and the server on it, by way of PostgreSQL's own `initdb` and `pg_ctl`. */
export class Cluster {
  readonly data: string
  readonly log: string
  readonly #bin: string
  readonly #account: Account
  /** The data directory, as the programs call it. */
  readonly #pgdata: string
  readonly #workingDirectory: string

  constructor({ bin, data, account, fromInside = false }: ClusterOptions) {
    this.data = data
    this.log = join(data, 'server.log')
    this.#bin = bin
    this.#account = account
    this.#pgdata = fromInside ? '/proc/self/cwd' : data
    this.#workingDirectory = fromInside ? data : '/'
  }

  /** Makes the data directory; `passwordFile`, from there, has the superuser's password in it. */
  async initialise(flags: readonly string[], passwordFile?: string): Promise<void> {
    await mkdir(this.data, { mode: 0o700 })
    await giveTo(this.#account, this.data)
    const secret = passwordFile === undefined ? [] : [`--pwfile=${this.#pgdata}/${passwordFile}`]
    await this.#run('initdb', ['--encoding=UTF8', '--no-instructions', ...secret, ...flags])
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
    await giveTo(this.#account, path)
  }

  /** Starts the server, apart from this process's terminal and signals, and waits until it takes connections. */
  async start(): Promise<void> {
    const before = (await this.#logText()).length
    try {
      await this.#run('pg_ctl', ['start', '--log', `${this.#pgdata}/server.log`, '--wait', '--timeout=60'])
    } catch (cause) {
      const told = (await this.#logText()).slice(before).trim().split('\n').slice(-8).join('\n')
      throw new Error(`PostgreSQL did not start on ${this.data}:\n${told}`, { cause })
    }
  }

  /**
   * Ends the server's sessions and stops it, whoever started it; as a crash would, where it does not come to an end
   * by itself. No server is fine, too.
   */
  async stop(): Promise<void> {
    let failure: unknown
    for (const mode of ['fast', 'immediate']) {
      if (!(await this.#isRunning())) return
      failure = await this.#run('pg_ctl', ['stop', '--wait', '--timeout=20', `--mode=${mode}`]).catch(
        (error: unknown) => error,
      )
    }
    if (await this.#isRunning()) throw failure
  }

  /** Ends the server as a crash would, before it returns: for a process that is about to exit. */
  kill(): void {
    const args = this.#argumentsOf(['stop', '--wait', '--timeout=3', '--mode=immediate'])
    spawnSync(join(this.#bin, 'pg_ctl'), args, this.#surroundings())
  }

  /** What postmaster.pid says, true or not. */
  async postmasterPid(): Promise<number | undefined> {
    const text = await readFile(join(this.data, 'postmaster.pid'), 'utf8').catch(() => '')
    const pid = Number.parseInt(text, 10)
    return Number.isNaN(pid) ? undefined : pid
  }

  async #isRunning(): Promise<boolean> {
    await this.#dropForeignPidFile()
    try {
      await this.#run('pg_ctl', ['status'])
      return true
    } catch {
      return false
    }
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
    await run(join(this.#bin, command), this.#argumentsOf(args), this.#surroundings())
  }

  #argumentsOf(args: readonly string[]): string[] {
    return ['--pgdata', this.#pgdata, ...args]
  }

  #surroundings() {
    return { ...this.#account, cwd: this.#workingDirectory, env: serverEnvironment() }
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
