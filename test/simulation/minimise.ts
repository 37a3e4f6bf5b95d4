import { runSeed } from './run-seed.ts'

/** So many runs at most: a shorter list is worth no more than a minute. */
const mostRuns = 400

/**
 * The steps of a failing seed without which it does not break the same promise any more: chunks are left out, the
 * large ones first, as long as that changes nothing ("delta debugging"). A step draws from its own number, so that
 * leaving one out changes the others' situation, and not what they try.
 */
export async function minimise(seed: number, failedAt: number, invariant: string): Promise<number[]> {
  let list = Array.from({ length: failedAt + 1 }, (_, index) => index)
  let runs = 0
  const stillFails = async (only: number[]): Promise<boolean> => {
    runs++
    const { violation } = await runSeed(seed, 0, { only })
    return violation?.invariant === invariant
  }
  for (let size = Math.ceil(list.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let end = list.length; end > 0 && runs < mostRuns; end -= size) {
      const start = Math.max(0, end - size)
      const shorter = [...list.slice(0, start), ...list.slice(end)]
      if (await stillFails(shorter)) list = shorter
    }
  }
  return list
}

/** `3,5,17-20` */
export function formatSteps(steps: readonly number[]): string {
  const ranges: string[] = []
  for (let i = 0; i < steps.length; i++) {
    const from = steps[i]!
    while (i + 1 < steps.length && steps[i + 1] === steps[i]! + 1) i++
    ranges.push(from === steps[i] ? String(from) : `${from}-${steps[i]}`)
  }
  return ranges.join(',')
}

export function parseSteps(text: string): number[] {
  if (text === '') return []
  return text.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number)
    return Array.from({ length: to! - from! + 1 }, (_, index) => from! + index)
  })
}
