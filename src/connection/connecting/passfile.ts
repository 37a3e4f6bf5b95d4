import { open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ServerAddress } from '../../wire/transport.ts'

/** The file that libpq looks into where none is named; empty, which is no file, where this user has no home. */
export function defaultPassfile(env: NodeJS.ProcessEnv): string {
  try {
    return process.platform === 'win32'
      ? join(env.APPDATA ?? homedir(), 'postgresql', 'pgpass.conf')
      : join(homedir(), '.pgpass')
  } catch {
    return ''
  }
}

/** A password file: lines of `host:port:database:user:password`. See "The Password File" (libpq-pgpass). */
export class Passfile {
  readonly path: string
  #warned = false

  constructor(path: string) {
    this.path = path
  }

  /**
   * The password of the first line that fits. The file is read each time, so that a change counts at the next
   * connect. One that is not there holds no password; one that others may read is ignored, with a warning.
   */
  async find(address: ServerAddress, database: string, user: string): Promise<string | undefined> {
    const text = await this.#read()
    // A Unix-domain socket goes by the name of localhost, or by its directory.
    const hosts = address.host.startsWith('/') ? ['localhost', address.host] : [address.host]
    for (const line of text.split(/\r?\n/)) {
      if (line === '' || line.startsWith('#')) continue
      const [host, port, ofDatabase, ofUser, password] = fieldsOf(line)
      if (
        hosts.some((name) => matches(host, name)) &&
        matches(port, String(address.port)) &&
        matches(ofDatabase, database) &&
        matches(ofUser, user)
      ) {
        return password
      }
    }
    return undefined
  }

  async #read(): Promise<string> {
    const file = await open(this.path).catch(() => undefined)
    if (file === undefined) return ''
    try {
      const stat = await file.stat()
      if (!stat.isFile()) return ''
      if (process.platform === 'win32' || (stat.mode & 0o077) === 0) return await file.readFile('utf8')
      this.#warn()
      return ''
    } finally {
      await file.close()
    }
  }

  #warn(): void {
    if (this.#warned) return
    this.#warned = true
    process.emitWarning(`passfile ${this.path} is ignored: others may read it; chmod 600 it`, {
      type: 'RockpoolWarning',
      code: 'ROCKPOOL_PASSFILE',
    })
  }
}

function matches(field: string | undefined, value: string): boolean {
  return field === '*' || field === value
}

/** The five fields; a backslash takes the next character as it is, and the password goes to the end of the line. */
function fieldsOf(line: string): string[] {
  const fields = ['']
  for (let i = 0; i < line.length; i++) {
    if (line[i] === ':' && fields.length < 5) {
      fields.push('')
      continue
    }
    if (line[i] === '\\' && i + 1 < line.length) i++
    fields[fields.length - 1] += line[i]!
  }
  return fields
}
