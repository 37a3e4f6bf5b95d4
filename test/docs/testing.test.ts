import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import * as rockpool from '../../src/index.ts'
import * as testing from '../../src/testing/index.ts'
import { freshDatabase } from '../support/servers.ts'

const page = await readFile(new URL('../../docs/testing.md', import.meta.url), 'utf8')

/** Each example, with the heading that it stands under. */
const examples = [...page.matchAll(/^#+ (.+)$|^```js\n([\s\S]*?)^```$/gm)].reduce<
  { title: string; code: string }[]
>((found, [, heading, code]) => {
  if (heading !== undefined) found.push({ title: heading, code: '' })
  else found.at(-1)!.code += code
  return found
}, [])

const modules: Record<string, object> = {
  'node:assert/strict': { default: assert, ...assert },
  rockpool,
  'rockpool/testing': testing,
}

type AsyncFunction = (imported: typeof modules, process: { env: object }) => Promise<void>
const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => AsyncFunction

/** The example as a function: its imports are taken from `imported`. */
function compile(code: string): AsyncFunction {
  const body = code
    .replace(/^import (\w+) from '([^']+)'$/gm, "const { default: $1 } = imported['$2']")
    .replace(/^import (\{.*\}) from '([^']+)'$/gm, "const $1 = imported['$2']")
  return new AsyncFunction('imported', 'process', body)
}

describe('docs/testing.md', () => {
  const runnable = examples.filter(({ code }) => code !== '')

  it('has examples', () => {
    expect(runnable.length).toBeGreaterThanOrEqual(6)
  })

  it.for(runnable)('is right about: $title', async ({ code }) => {
    await compile(code)(modules, { env: { DATABASE_URL: await freshDatabase() } })
  })

  const classes = [testing.FaultProxy, testing.Step, testing.ScriptedConnector, testing.VirtualClock]
  const words = classes.flatMap((each) => Object.getOwnPropertyNames(each.prototype))
  const connectorCalls = [
    'constructor',
    'connect',
    'isPermanent',
    'check',
    'reset',
    'commands',
    'close',
    'terminate',
  ]

  it.for(words.filter((word) => !connectorCalls.includes(word)))('names %s', (word) => {
    expect(page).toMatch(new RegExp(`\`(?:await )?${word}[\`(]`))
  })

  it.for(Object.keys(testing))('names the export %s', (name) => {
    expect(page).toContain(name)
  })
})
