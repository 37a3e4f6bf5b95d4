import { expect, test } from 'vitest'
import { Coverage } from './coverage.ts'
import { formatSteps, minimise, parseSteps } from './minimise.ts'
import { calls, fates } from './plan.ts'
import { gaps } from './report.ts'
import { runSeed } from './run-seed.ts'

/** Of 500 steps each; `npm run simulate -- --hashes --seeds 5 --steps 500` prints those of the present code. */
const hashes: readonly (readonly [number, string])[] = [
  [1, '11cf6039895e3d6d'],
  [2, 'ed46cb013f69211b'],
  [3, 'ea8b2179e1de2c40'],
  [4, '48ec5382e957b517'],
  [5, '1ebbd32e8149116f'],
]

test('a seed replays exactly, on every version of Node', async () => {
  for (const [seed, hash] of hashes) {
    expect((await runSeed(seed, 500)).hash, `seed ${seed}`).toBe(hash)
    expect((await runSeed(seed, 500)).hash, `seed ${seed} once more`).toBe(hash)
  }
})

test('I1–I10 hold in 2,000 seeds of 1,000 steps, and every call goes in every way', {
  timeout: 480_000,
}, async () => {
  const coverage = new Coverage()
  for (let seed = 1; seed <= 2_000; seed++) {
    const { violation, coverage: reached } = await runSeed(seed, 1_000)
    if (violation !== undefined) {
      const { invariant, message, step } = violation
      const only = formatSteps(await minimise(seed, step, invariant))
      expect.fail(`${invariant}: ${message}\nreplay: npm run simulate -- --seed ${seed} --only ${only}`)
    }
    coverage.add(reached)
  }
  expect(gaps(coverage).contradicted, 'what cannot happen').toEqual([])
  expect(coverage.count('leased', 'shared')).toBeGreaterThan(0)
  const faults = calls.flatMap((call) => fates.map((fate) => `${call} ${fate}`))
  const expected = faults.filter((name) => !name.endsWith(' quick'))
  expect([...coverage.faults.keys()]).toEqual(expect.arrayContaining(expected))
})

test('a list of steps is written as ranges and read back', () => {
  const steps = [3, 5, 17, 18, 19, 20, 22]
  expect(formatSteps(steps)).toBe('3,5,17-20,22')
  expect(parseSteps('3,5,17-20,22')).toEqual(steps)
  expect(parseSteps(formatSteps([]))).toEqual([])
})
