import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { plantedBugs } from './bugs.ts'
import { Copy } from './copy.ts'
import { projectRoot } from './planting.ts'

const root = projectRoot()
const bugs = plantedBugs(root)

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
})
