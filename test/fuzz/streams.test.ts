import { describe, expect, it } from 'vitest'
import { mix, Random } from '../simulation/random.ts'
import { violations } from './checks.ts'
import { framesOf } from './frames.ts'
import { describePlan, Fuzzer, usedHeap } from './fuzz.ts'
import { play } from './play.ts'
import { loadRecordings } from './recordings.ts'
import { assemble, libraryOf, planOf, streamOf, unchanged } from './streams.ts'

const recordings = loadRecordings()

describe.for(recordings)('the recorded session "$name"', (recording) => {
  const playedAs = (cut: 'whole' | 'byte by byte' | 'anywhere') =>
    play(assemble(unchanged(recording, cut), framesOf(recording.turns), new Random(mix(7, 7))))

  it('is taken the same, whether it comes whole, in pieces or byte by byte, and nothing is left of it', async () => {
    const whole = await playedAs('whole')
    expect(violations(whole, whole)).toEqual([])
    expect(whole.outcomes.length).toBeGreaterThan(0)
    for (const cut of ['anywhere', 'byte by byte'] as const) {
      expect((await playedAs(cut)).outcomes).toEqual(whole.outcomes)
    }
  })

  it('loses no connection of its own', async () => {
    const codes = (await playedAs('whole')).outcomes.map((outcome) =>
      'error' in outcome ? (outcome.error as { code: string }).code : 'value',
    )
    const refused = recording.name === 'loginRefused' || recording.name === 'loginToNoDatabase'
    expect(codes[0]).toBe(refused ? 'ROCKPOOL_CONNECT' : 'value')
    expect(codes).not.toContain('ROCKPOOL_CONNECTION_LOST')
  })
})

it('a seed gives the same stream each time', () => {
  const library = libraryOf(recordings)
  const bytesOf = (seed: number) => streamOf(planOf(seed, recordings), library, seed).turns
  for (let seed = 0; seed < 50; seed++) expect(bytesOf(seed)).toEqual(bytesOf(seed))
})

/** Each stream has a seed of its own; `npm run fuzz -- --seed N` plays one alone. */
const streams = 20_000
const warmUp = 500
const roomForHeap = 48 * 2 ** 20

it(`${streams} mutated streams end every call with a value or an error of this library, and leave nothing`, {
  timeout: 300_000,
}, async () => {
  const fuzzer = new Fuzzer()
  let heap = 0
  let harmed = 0
  fuzzer.start()
  try {
    for (let seed = 0; seed < streams; seed++) {
      if (seed === warmUp) heap = usedHeap()
      const verdict = await fuzzer.run(seed)
      if (verdict.violations.length > 0) {
        const plan = describePlan(await fuzzer.minimised(fuzzer.plan(seed), seed))
        expect.fail(`seed ${seed} (${plan}): ${verdict.violations.join('; ')}`)
      }
      if (!verdict.isUnharmed) harmed++
    }
  } finally {
    fuzzer.stop()
  }
  expect(harmed).toBeGreaterThan(streams / 2)
  expect(usedHeap() - heap).toBeLessThan(roomForHeap)
})
