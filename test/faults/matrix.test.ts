import { readdir, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { Senseless } from './support/fault.ts'
import { matrix } from './support/matrix.ts'
import { states } from './support/states.ts'

it('crosses the faults with the states of a connection in at least 150 cells', () => {
  const cells = matrix.flatMap((fault) => Object.values(fault.cells))
  expect(cells.filter((cell) => !(cell instanceof Senseless)).length).toBeGreaterThanOrEqual(150)
})

it('has a cell for each fault and state, or the reason why there is none', () => {
  const names = states.map(({ name }) => name).sort()
  for (const fault of matrix) {
    expect(Object.keys(fault.cells).sort(), fault.name).toEqual(names)
  }
})

it('runs every fault once', async () => {
  const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.test.ts'))
  const texts = await Promise.all(files.map((name) => readFile(`${import.meta.dirname}/${name}`, 'utf8')))
  const runs = texts.flatMap((text) => text.match(/^crossed\(\w+\)$/gm) ?? [])
  expect(new Set(runs).size).toBe(runs.length)
  expect(runs.length).toBe(matrix.length)
})
