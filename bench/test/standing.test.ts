import { describe, expect, it } from 'vitest'
import { p99, rate } from '../src/contests/columns.ts'
import type { Contest, Goal } from '../src/contests/contest.ts'
import { plotsOf, type Standing, tableOf, targetsOf } from '../src/contests/standing.ts'
import type { Figures } from '../src/rounds.ts'
import { node } from '../src/runtimes/program.ts'

const peer = (name: string) => ({ name, reset: 'none' as const, runtime: node })

function standing(goals: Goal[], figures: Record<string, Figures>, contest: Partial<Contest> = {}): Standing {
  const peers = Object.keys(figures).map(peer)
  const setting = { callers: 10, connections: 2 }
  return {
    contest: {
      ...{ name: 'contest', title: 'A contest', notes: [], peers, settings: [setting], by: 'callers' },
      stage: { create: async () => {} },
      ...{ columns: [rate, p99], compared: ['rate'], goals },
      ...contest,
    },
    peers,
    laps: [{ setting, rounds: Object.values(figures).map((round) => [round, round, round]) }],
  }
}

const goal: Goal = { own: 'ours', of: 'theirs', figure: 'rate', is: 'at least', bound: 2 }

describe('the table', () => {
  it('has the medians, and the ratios of the first peer to the others', () => {
    const { columns, rows } = tableOf(
      standing([], { ours: { rate: 3000, p99: 2 }, theirs: { rate: 1500, p99: 4 } }),
    )
    expect(columns.map(({ title }) => title)).toEqual([
      ...['callers', 'who', 'reset', 'requests/s', 'p99 ms', 'requests/s: ratio'],
    ])
    expect(rows).toEqual([
      ['10', 'ours', 'none', '3,000', '2.00', ''],
      ['', 'theirs', 'none', '1,500', '4.00', '2.00× (2.00–2.00)'],
    ])
  })

  it('has a dash for a figure that cannot be had', () => {
    const { rows } = tableOf(standing([], { ours: { rate: 3000 }, theirs: {} }))
    expect(rows.map((row) => row.slice(3))).toEqual([
      ['3,000', '–', ''],
      ['–', '–', '–'],
    ])
  })

  it('counts connections where its settings differ by these', () => {
    const { columns, rows } = tableOf(standing([], { ours: { rate: 1 } }, { by: 'connections' }))
    expect([columns[0]!.title, rows[0]![0]]).toEqual(['connections', '2'])
  })
})

describe('a target', () => {
  it.for([
    [1_999, false],
    [2_000, true],
  ] as const)('of twice the rate is met by %d to 1,000: %s', ([own, met]) => {
    const [target] = targetsOf(
      standing([{ ...goal, base: 'theirs' }], { ours: { rate: own }, theirs: { rate: 1_000 } }),
    )
    expect(target).toMatchObject({ wanted: '≥ 2 × theirs', met })
  })

  it('is taken from the best of several bases that have the figure', () => {
    const bases = { slow: { rate: 500 }, fast: { rate: 1_600 }, none: {} }
    const base = Object.keys(bases)
    const atLeast = targetsOf(standing([{ ...goal, base }], { ours: { rate: 2_000 }, ...bases }))
    expect(atLeast[0]).toMatchObject({ measured: '1.25× (1.25–1.25)', met: false })
    const atMost = targetsOf(
      standing([{ ...goal, base, is: 'at most' }], { ours: { rate: 2_000 }, ...bases }),
    )
    expect(atMost[0]).toMatchObject({ measured: '4.00× (4.00–4.00)', met: false })
  })

  it('may be a bound of the figure itself', () => {
    const bound: Goal = { ...goal, of: 'ms', figure: 'p99', is: 'at most', bound: 30 }
    expect(targetsOf(standing([bound], { ours: { p99: 30.4 } }))).toEqual([
      { what: 'ours, 10 callers: p99 ms', wanted: '≤ 30 ms', measured: '30.4 ms', met: false },
    ])
    expect(targetsOf(standing([bound], { ours: { p99: 29.9 } }))[0]!.met).toBe(true)
  })

  it('is not judged where one of the two, or its setting, was not measured', () => {
    const figures = { ours: { rate: 1 }, theirs: { rate: 1 } }
    const goals: Goal[] = [
      { ...goal, base: 'theirs', at: 11 },
      { ...goal, base: 'others' },
      { ...goal, own: 'others', base: 'theirs' },
    ]
    expect(targetsOf(standing(goals, figures))).toEqual([])
  })
})

it('a plot has a line for each peer, over the settings', () => {
  const plot = { figure: 'p99', name: 'p99-by-callers', title: 'Latency', x: 'callers', y: 'ms' } as const
  expect(plotsOf(standing([], { ours: { p99: 2 }, theirs: { p99: 3 } }, { plots: [plot] }))).toEqual([
    {
      ...{ name: 'p99-by-callers', title: 'Latency', x: 'callers', y: 'ms' },
      lines: [
        { name: 'ours', points: [{ x: 10, y: 2 }] },
        { name: 'theirs', points: [{ x: 10, y: 3 }] },
      ],
    },
  ])
})
