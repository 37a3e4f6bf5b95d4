import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { expect, test } from 'vitest'

const source = join(import.meta.dirname, '../src')

/** What each floor may import: whole floors, and always its own folder. The order is that of the design. */
const floorsBelow: Record<string, readonly string[]> = {
  leaf: [],
  wire: ['leaf'],
  pooling: ['leaf'],
  connection: ['wire', 'pooling', 'leaf'],
  pool: ['connection', 'wire', 'pooling', 'leaf'],
  edge: ['pool', 'connection', 'wire', 'pooling', 'leaf'],
}

const leaves = ['errors.ts', 'duration.ts', 'deadline.ts', 'sqlstate.ts']
const floorOfFolder: Record<string, string> = {
  wire: 'wire',
  pooling: 'pooling',
  connection: 'connection',
  fastify: 'edge',
  otel: 'edge',
  dashboard: 'edge',
  pg: 'edge',
  cli: 'edge',
  testing: 'edge',
}

interface Module {
  path: string
  folder: string
  floor: string | undefined
}

function moduleAt(path: string): Module {
  const parts = path.split(sep)
  const folder = parts.length > 1 ? parts[0]! : ''
  if (folder !== '') return { path, folder, floor: floorOfFolder[folder] }
  return { path, folder, floor: leaves.includes(path) ? 'leaf' : 'pool' }
}

/** The specifiers of a file's imports and re-exports, the dynamic ones and those of types among them. */
function specifiers(path: string): string[] {
  const text = readFileSync(join(source, path), 'utf8')
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)'([^']+)'/g
  return [...text.matchAll(pattern)].map((match) => match[1]!)
}

const modules = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map(moduleAt)

const imports = modules.flatMap((from) =>
  specifiers(from.path)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => ({
      from,
      to: moduleAt(relative(source, join(source, dirname(from.path), specifier))),
    })),
)

test('every file of src has its floor', () => {
  expect(modules.filter(({ floor }) => floor === undefined)).toEqual([])
  expect(modules.length).toBeGreaterThan(20)
})

test('imports go down the floors only, or stay in their folder', () => {
  const upward = imports.filter(({ from, to }) => {
    const sameFolder = from.folder === to.folder && from.floor === to.floor
    return !sameFolder && !floorsBelow[from.floor!]?.includes(to.floor!)
  })
  expect(upward.map(({ from, to }) => `${from.path} -> ${to.path}`)).toEqual([])
})

test('wire and pooling never import each other', () => {
  const pairs = imports.map(({ from, to }) => `${from.floor} -> ${to.floor}`)
  expect(pairs).not.toContain('wire -> pooling')
  expect(pairs).not.toContain('pooling -> wire')
  expect(pairs).toContain('pooling -> leaf')
  expect(pairs).toContain('wire -> leaf')
})

test('pooling takes nothing from the world: no package and no module of Node', () => {
  const foreign = modules
    .filter(({ floor }) => floor === 'pooling')
    .flatMap(({ path }) => specifiers(path))
    .filter((specifier) => !specifier.startsWith('.'))
  expect(foreign).toEqual([])
})
