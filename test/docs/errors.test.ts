import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import * as rockpool from '../../src/index.ts'

const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8')

/** Class and code of each error that the page's table has. */
const documented = [...page.matchAll(/^\| `(\w+Error)` \| `(ROCKPOOL_\w+)` \|/gm)].map(
  ([, name = '', code = '']) => ({
    name,
    code,
  }),
)

type ErrorClass = new (argument: never) => rockpool.RockpoolError

const exported = Object.entries(rockpool)
  .filter(([name]) => name.endsWith('Error') && name !== 'RockpoolError')
  .map(([name, value]) => {
    const report = { message: 'm', severity: 'ERROR', sqlState: '23505' }
    const error = new (value as unknown as ErrorClass)((name === 'PostgresError' ? report : 'm') as never)
    return { name, code: error.code, error }
  })

describe('docs/errors.md', () => {
  it('has every error class with its code, and no other', () => {
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
    expect(documented.toSorted(byName)).toEqual(
      exported.map(({ name, code }) => ({ name, code })).sort(byName),
    )
  })

  it('is right that all of them are RockpoolErrors with a code of their own', () => {
    expect(exported.every(({ error }) => error instanceof rockpool.RockpoolError)).toBe(true)
    expect(new Set(exported.map(({ code }) => code)).size).toBe(exported.length)
    expect(exported.every(({ name, error }) => error.name === name)).toBe(true)
  })

  it('knows the four outcomes', () => {
    const outcomes = [...page.matchAll(/^\| `'([\w-]+)'` \|/gm)].map(([, outcome]) => outcome)
    const known: rockpool.Outcome[] = ['not-sent', 'failed', 'executed', 'unknown']
    expect(outcomes).toEqual(known)
  })
})
