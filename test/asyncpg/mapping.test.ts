import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/asyncpg.md', root), 'utf8')

/** `test/…` “name”, as the page cites a test; a name without a path is of the file before it. */
const citation = /`(test\/[\w./-]+\.test\.ts)`((?:,? “[^”]+”)+)/g

function citations(text: string): { file: string; name: string }[] {
  return [...text.matchAll(citation)].flatMap(([, file, names]) =>
    [...names!.matchAll(/“([^”]+)”/g)].map(([, name]) => ({ file: file!, name: name! })),
  )
}

const literal = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/.source
/** The name of a test is the first argument of `it`, `test`, or of what their `for` and `each` give. */
const named = new RegExp(String.raw`^(?!\s*describe).*?(?:\b(?:it|test)|\))\(\s*(${literal})\s*,`, 'gm')

const sources = new Map<string, { text: string; names: string[] }>()

function read(file: string): { text: string; names: string[] } {
  let source = sources.get(file)
  if (source === undefined) {
    const text = readFileSync(new URL(file, root), 'utf8')
    const names = [...text.matchAll(named)].map(([, quoted]) => quoted!.slice(1, -1).replace(/\\(.)/g, '$1'))
    source = { text, names }
    sources.set(file, source)
  }
  return source
}

/** Whether `name` is `pattern`, or that with its placeholders filled by what stands in the file. */
function fits(name: string, pattern: string, text: string): boolean {
  if (name === pattern) return true
  const parts = pattern.split(/%[sdijo]|\$\w+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const filled = new RegExp(`^${parts.join('(.+)')}$`, 's').exec(name)
  return parts.length > 1 && filled !== null && filled.slice(1).every((value) => text.includes(value))
}

/** The cells of the rows of all tables whose heading is `heading`. */
function rows(heading: RegExp): string[][] {
  const tables = page.split('\n\n').filter((block) => heading.test(block))
  expect(tables.length).toBeGreaterThan(0)
  return tables.flatMap((table) =>
    table
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2)
      .map((line) => line.slice(1, -1).split(/(?<!\\)\|/)),
  )
}

test('every test that docs/asyncpg.md cites is there under its name', () => {
  const cited = citations(page)
  expect(cited.length).toBeGreaterThan(200)
  const missing = cited.filter(({ file, name }) => {
    const { text, names } = read(file)
    return !names.some((pattern) => fits(name, pattern, text))
  })
  expect(missing).toEqual([])
})

test('every path of a test in docs/asyncpg.md comes with a name', () => {
  const paths = page.match(/test\/[\w./-]+\.test\.ts/g)!
  expect(paths.length).toBe([...page.matchAll(citation)].length)
})

test("every behaviour of asyncpg's tests has a test here, or a reason why not", () => {
  const bare = rows(/^\| asyncpg's test \| behaviour \| here \|/m).filter(
    ([, , here]) => citations(here!).length === 0 && !/^ Not here: .{20}/.test(here!),
  )
  expect(bare).toEqual([])
})

test('every test of test/asyncpg is cited', () => {
  const cited = citations(page)
  const files = readdirSync(fileURLToPath(new URL('test/asyncpg/', root)))
    .filter((entry) => entry.endsWith('.test.ts') && entry !== 'mapping.test.ts')
    .map((entry) => `test/asyncpg/${entry}`)
  expect(files.length).toBeGreaterThan(10)
  const uncited = files.flatMap((file) => {
    const { text, names } = read(file)
    if (names.length === 0) return [`${file}: no test found`]
    return names
      .filter((pattern) => !cited.some((one) => one.file === file && fits(one.name, pattern, text)))
      .map((name) => `${file}: ${name}`)
  })
  expect(uncited).toEqual([])
})
