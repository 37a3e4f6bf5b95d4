import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'

/** What is not a library of Node's, and may not be installed. */
export interface Program {
  /** The command that installs it. */
  readonly install: string
  /** Where it is and which versions it has, by name; `undefined` where it is not installed. Asked once. */
  found(): Found | undefined
}

export interface Found {
  path: string
  versions: Record<string, string>
}

/** The one that runs this. */
export const node: Program = {
  install: '',
  found: () => ({ path: process.execPath, versions: { 'Node.js': process.versions.node } }),
}

/** The registry's binary, an optional dependency of this workspace. */
export const bun = program('npm install --include=optional', () => {
  const machine = process.arch === 'arm64' ? 'aarch64' : process.arch
  const path = resolved(`@oven/bun-${process.platform}-${machine}/bin/bun`)
  const version = path === undefined ? undefined : output(path, ['--version'])
  return path === undefined || version === undefined ? undefined : { path, versions: { Bun: version } }
})

const pythonVersions = `import asyncpg, uvloop, json, platform
print(json.dumps({'Python': platform.python_version(), 'asyncpg': asyncpg.__version__, 'uvloop': uvloop.__version__}))`

export const python = pythonWith('python3-asyncpg python3-uvloop', pythonVersions)

/** A Python that runs `versions`. Debian's packages belong to Debian's Python, which need not be the first in PATH. */
export function pythonWith(packages: string, versions: string): Program {
  return program(`apt-get install ${packages}`, () => {
    for (const path of ['python3', '/usr/bin/python3']) {
      const found = output(path, ['-c', versions])
      if (found !== undefined) return { path, versions: JSON.parse(found) }
    }
    return undefined
  })
}

export const pgbench = program('apt-get install postgresql-contrib', () => {
  for (const path of ['pgbench', ...debianPrograms('pgbench')]) {
    const version = output(path, ['--version'])?.match(/[\d.]+/)?.[0]
    if (version !== undefined) return { path, versions: { pgbench: version } }
  }
  return undefined
})

/** `find` is called once. */
export function program(install: string, find: () => Found | undefined): Program {
  let asked: { found: Found | undefined } | undefined
  return {
    install,
    found() {
      asked ??= { found: find() }
      return asked.found
    },
  }
}

/** What the command prints; `undefined` where it does not start, or fails. */
export function output(path: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(path, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 20_000,
  })
  return status === 0 ? stdout.trim() : undefined
}

function resolved(path: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(path)
  } catch {
    return undefined
  }
}

const debianFolder = '/usr/lib/postgresql'

/** The newest first. */
function debianPrograms(name: string): string[] {
  const versions = existsSync(debianFolder) ? readdirSync(debianFolder) : []
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => `${debianFolder}/${version}/bin/${name}`)
}
