import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { plantedBugs } from './bugs.ts'
import { Copy } from './copy.ts'
import { lookFor, projectRoot } from './planting.ts'
import { simulate } from './trial.ts'

const root = projectRoot()
const bugs = plantedBugs(root)

/** Each breaks another kind of promise, and few seeds show it. `npm run plant` looks for all. */
const handful = [
  'abort-listener-left',
  'late-connect-leaks',
  'second-release',
  'slot-freed-before-the-goodbye',
  'waiter-lost-after-a-failure',
]
const extent = { seeds: 50, steps: 1_000 }

describe('the planted bugs', () => {
  let copy: Copy

  beforeAll(async () => {
    copy = await Copy.of(root)
  })
  afterAll(() => copy.remove())

  test('are thirty at least, each with a sentence of its own that says the mistake', () => {
    expect(bugs.length).toBeGreaterThanOrEqual(30)
    for (const { name, sentence } of bugs) expect(sentence, name).toMatch(/^\S.{20,140}\.$/)
    expect(new Set(bugs.map(({ sentence }) => sentence)).size).toBe(bugs.length)
  })

  test.each(bugs)('fit the source of today: $name', async ({ path, files }) => {
    expect(files).not.toEqual([])
    await copy.accepts(path)
  })

  test('are not there by themselves: the simulation finds nothing in the pool as it is', async () => {
    expect(await simulate(await copy.compile(), extent)).toMatchObject({
      kind: 'nothing',
      seed: extent.seeds,
    })
  }, 120_000)

  test.each(handful)(
    'are found by the simulation: %s',
    async (name) => {
      const bug = bugs.find((other) => other.name === name)!
      expect(await lookFor(root, bug, extent)).toMatchObject({ kind: 'violation' })
    },
    120_000,
  )
})
