import { describe, expect, it } from 'vitest'
import { type Load, type Measurement, measure, type Requests } from '../src/measure.ts'
import { middle, playRounds, ratio, summarise } from '../src/rounds.ts'

/** So short that every caller makes one request. */
const load: Load = { callers: 3, seconds: Number.MIN_VALUE, signal: new AbortController().signal }

const measured = (figures: Partial<Measurement>): Measurement => ({
  requests: 1,
  rate: 1,
  p50: 1,
  p99: 1,
  cpu: 1,
  ...figures,
})

const asking = (ask: (number: number) => Promise<unknown>): Requests => ({ ask, check: () => {} })

describe('a load', () => {
  it('has every caller make a request, all at once', async () => {
    let open = 0
    let highest = 0
    const { requests, rate, p50, p99 } = await measure(
      asking(async () => {
        highest = Math.max(highest, ++open)
        await new Promise(setImmediate)
        open--
      }),
      load,
    )
    expect({ requests, highest }).toEqual({ requests: 3, highest: 3 })
    expect(rate).toBeGreaterThan(0)
    expect(p99).toBeGreaterThanOrEqual(p50)
  })

  it('checks each answer beside the number of its request, and rejects where one is wrong', async () => {
    const seen: unknown[] = []
    const failing = measure(
      {
        ask: async (number) => `answer ${number}`,
        check(number, answer) {
          seen.push([number, answer])
          if (number === 3) throw new Error('a wrong answer')
        },
      },
      { ...load, callers: 1, seconds: 3_600 },
    )
    await expect(failing).rejects.toThrow('a wrong answer')
    expect(seen).toEqual([0, 1, 2, 3].map((number) => [number, `answer ${number}`]))
  })

  it('rejects with what a request threw, after the others ended theirs', async () => {
    let ended = 0
    let asked = 0
    const failing = measure(
      asking(async () => {
        if (++asked === 1) throw new Error('a wrong answer')
        await new Promise(setImmediate)
        ended++
      }),
      { ...load, seconds: 3_600 },
    )
    await expect(failing).rejects.toThrow('a wrong answer')
    expect(ended).toBe(2)
  })

  it('ends when its signal aborts, with the reason', async () => {
    const stop = new AbortController()
    const stopped = measure(
      asking(async () => stop.abort(new Error('stopped'))),
      { ...load, seconds: 3_600, signal: stop.signal },
    )
    await expect(stopped).rejects.toThrow('stopped')
  })
})

describe('the rounds', () => {
  it('measure the entrants in turn, each second round backwards, after a warm-up that does not count', async () => {
    const order: string[] = []
    const entrants = ['a', 'b', 'c'].map((name) => async () => {
      order.push(name)
      return { requests: order.length }
    })
    const results = await playRounds(entrants, { ...load, rounds: 2 })
    expect(order.join('')).toBe('abc' + 'abc' + 'cba')
    expect(results.map((rounds) => rounds.map(({ requests }) => requests))).toEqual([
      [4, 9],
      [5, 8],
      [6, 7],
    ])
  })

  it('are summed up by the median of each figure and the sum of the requests', () => {
    const rounds = [
      measured({ rate: 10, p50: 3 }),
      measured({ rate: 90, p50: 1 }),
      measured({ rate: 20, p50: 2 }),
    ]
    expect(summarise(rounds)).toEqual({ requests: 3, rate: 20, p50: 2, p99: 1, cpu: 1 })
  })

  it('compare two entrants round by round', () => {
    const own = [measured({ rate: 20 }), measured({ rate: 10 }), measured({ rate: 90 })]
    const base = [measured({ rate: 10 }), measured({ rate: 20 }), measured({ rate: 30 })]
    expect(ratio('rate', own, base)).toEqual({ median: 2, low: 0.5, high: 3 })
  })

  it('have no ratio of a figure that one of the two does not have', () => {
    expect(ratio('rate', [measured({})], [{ requests: 1 }]).median).toBeNaN()
    expect(middle('cpu', [{ requests: 1 }])).toBeNaN()
  })
})
