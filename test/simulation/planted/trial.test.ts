import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { simulate } from './trial.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rockpool-trial-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A program that does `deed` when its turn comes to try seed 130, and finds nothing else. */
async function programWith(deed: string): Promise<string> {
  const path = join(folder, 'main.mjs')
  await writeFile(
    path,
    `const option = (name) => Number(process.argv[process.argv.indexOf('--' + name) + 1])
    const seed = 130
    if (option('first') <= seed && seed < option('first') + option('seeds')) { ${deed} }`,
  )
  return path
}

test('the violation is the one that the last line of the simulation tells', async () => {
  const program = await programWith(
    'console.log("trace"); console.log("violation seed=130 step=7 invariant=I2"); process.exitCode = 1',
  )
  expect(await simulate(program, { seeds: 1_000, steps: 10 })).toMatchObject({
    kind: 'violation',
    seed: 130,
    step: 7,
    invariant: 'I2',
  })
})

test('no seed beyond the last is tried', async () => {
  const program = await programWith('throw new Error("seed 130 was tried")')
  expect(await simulate(program, { seeds: 129, steps: 10 })).toMatchObject({ kind: 'nothing', seed: 129 })
})

test('a simulation that dies is a crash, told with its error', async () => {
  const program = await programWith('throw new RangeError("too deep")')
  expect(await simulate(program, { seeds: 1_000, steps: 10 })).toMatchObject({
    kind: 'crash',
    seed: 200,
    detail: 'RangeError: too deep',
  })
})
