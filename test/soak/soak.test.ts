import { describe, expect, it } from 'vitest'
import { Activity, type Row } from './observer/activity.ts'
import { Ledger } from './observer/ledger.ts'
import { Recoveries } from './observer/recoveries.ts'
import { readOptions } from './options.ts'
import { applicationName, limits, poolPlans } from './pool-plans.ts'
import { leaks } from './resources.ts'
import { Histogram, median, slope } from './statistics.ts'

describe("the soak's ledger (I5)", () => {
  const book = () => {
    const ledger = new Ledger()
    ledger.settle(1, 'acknowledged', '')
    ledger.settle(2, 'failed', '')
    ledger.settle(3, 'unknown', '')
    return ledger
  }

  it.for([
    ['an unknown write that is there', [1, 3]],
    ['an unknown write that is not', [1]],
  ] as const)('lets %s be', ([, ids]) => {
    const ledger = book()
    expect(
      ledger.check(
        ledger.due,
        ids.map((id) => ({ id, copies: 1 })),
      ),
    ).toEqual([])
  })

  it.for([
    ['is lost', []],
    ['is there twice', [{ id: 1, copies: 2 }]],
    ['is not whole', [{ id: 1, copies: 0.5 }]],
  ] as const)('finds an acknowledged write that %s', ([, written]) => {
    const ledger = book()
    expect(ledger.check(ledger.due, written)).toEqual([expect.stringContaining('write 1, acknowledged')])
  })

  it('finds a failed write that is there, however late it comes', () => {
    const ledger = book()
    expect(ledger.check(ledger.due, [{ id: 1, copies: 1 }])).toEqual([])
    expect(ledger.check(ledger.due, [{ id: 2, copies: 1 }])).toEqual([
      expect.stringContaining('write 2, failed, is there 1 times'),
    ])
  })

  it('finds writes in the total that nobody made', () => {
    expect(book().checkTotal(2, 1)).toEqual([])
    expect(book().checkTotal(3, 1)).toHaveLength(1)
  })
})

describe("the soak's look at pg_stat_activity (I4)", () => {
  const pool = 'lean'
  const { maxSize } = poolPlans[pool].options
  const rows = (count: number, age = 0): Row[] =>
    Array.from({ length: count }, (_, i) => ({
      pid: i + 1,
      name: applicationName(pool),
      age,
      isActive: false,
      doing: '',
    }))

  it('finds one session too many, at once where there is no fault', () => {
    const activity = new Activity()
    expect(activity.check(rows(maxSize), 0, true)).toEqual([])
    expect(activity.check(rows(maxSize + 1), 0, true)).toHaveLength(1)
  })

  it('finds one during a fault where it stays', () => {
    const activity = new Activity()
    expect(activity.check(rows(maxSize + 1), 0, false)).toEqual([])
    expect(activity.check(rows(maxSize + 1), 2_000, false)).toHaveLength(1)
  })

  it('counts a session that closes until the server has ended it or its time is over, and no abandoned one', () => {
    const activity = new Activity()
    activity.closed(pool, 1, 'expired', 0)
    expect(activity.check(rows(maxSize + 1), 0, true)).toHaveLength(1)
    expect(activity.check(rows(maxSize + 1), 2 * limits.closeTimeout, true)).toEqual([])
    activity.closed(pool, 2, 'lost', 0)
    expect(activity.check(rows(maxSize + 2), 2 * limits.closeTimeout, true)).toEqual([])
    expect(activity.mostAbandoned).toBe(2)
  })

  it('finds an abandoned session that stays without a fault', () => {
    const activity = new Activity()
    activity.closed(pool, 1, 'lost', 0)
    expect(activity.check(rows(1), 5_000, false)).toEqual([])
    expect(activity.check(rows(1), 5_000, true)).toEqual([
      expect.stringContaining('has left session 1, which stays'),
    ])
    expect(activity.check([{ ...rows(1)[0]!, isActive: true }], 5_000, true)).toEqual([])
  })

  it('takes a session that the pool never told of for a connect that it gave up, once it is old', () => {
    const activity = new Activity()
    const old = limits.connectTimeout + 1_000
    expect(activity.check(rows(maxSize + 1, old), 0, true)).toEqual([])
    for (const { pid } of rows(maxSize + 1)) activity.opened(pool, pid)
    expect(activity.check(rows(maxSize + 1, old), 0, true)).toHaveLength(1)
  })
})

describe("the soak's watch of recoveries (I10)", () => {
  const recovered = (id: number, times: { success?: number; floor?: number; lost?: number }) => {
    return { id, pool: 'steady', success: 0, floor: 0, lost: 0, ...times }
  }

  it('finds a first success, and a floor, that came late, but for what the machine needed', () => {
    const recoveries = new Recoveries()
    recoveries.begun('a fault')
    const id = recoveries.accepted('a fault', 0)
    expect(recoveries.recovered(recovered(id, { success: 900, floor: 1_900 }))).toEqual([])
    expect(recoveries.recovered(recovered(id, { success: 1_100 }))).toHaveLength(1)
    expect(recoveries.recovered(recovered(id, { floor: 2_100 }))).toHaveLength(1)
    expect(recoveries.recovered(recovered(id, { floor: 2_100, lost: 200 }))).toEqual([])
    expect(recoveries.byFault.get('a fault')).toMatchObject({ times: 1, successes: [900, 1_100, 0, 0] })
  })

  it('finds a pool that does not recover, unless the next fault comes before', () => {
    const recoveries = new Recoveries()
    recoveries.begun('a fault')
    const id = recoveries.accepted('a fault', 0)
    recoveries.recovered(recovered(id, {}))
    expect(recoveries.late(id)).not.toEqual([])
    expect(recoveries.late(id).join()).not.toContain('steady')
    recoveries.begun('another')
    expect(recoveries.late(id)).toEqual([])
  })
})

describe("the soak's statistics", () => {
  it('tell percentiles to 5 %', () => {
    const histogram = new Histogram()
    expect(histogram.percentile(50)).toBeUndefined()
    for (let ms = 1; ms <= 1_000; ms++) histogram.add(ms)
    expect(histogram.percentile(50)).toBeGreaterThanOrEqual(500)
    expect(histogram.percentile(50)).toBeLessThan(500 * 1.05)
    expect(histogram.percentile(99)).toBeGreaterThanOrEqual(990)
    expect(histogram.percentile(99)).toBeLessThan(990 * 1.05)
    expect(histogram.count).toBe(1_000)
  })

  it('tell the middle and the slope', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([])).toBeUndefined()
    const line = [0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x }))
    expect(slope(line)).toBeCloseTo(2)
    expect(slope([...line, { x: 1.5, y: 100 }])).toBeCloseTo(2)
    expect(slope([{ x: 1, y: 1 }])).toBe(0)
  })
})

describe("the soak's look at what the load holds (I9)", () => {
  const hour = 3_600_000
  const course = (heapAt: (i: number) => number) => ({
    began: 0,
    ended: hour,
    samples: Array.from({ length: 120 }, (_, i) => {
      return { at: (i * hour) / 120, heap: heapAt(i), sockets: 10, timers: 10 }
    }),
  })

  it('finds a heap that grows all the time', () => {
    expect(leaks(course((i) => 15e6 + i * 1e5))).toEqual([
      expect.stringContaining('heap, MB of the load: 12.0 more'),
    ])
  })

  it('sees no trend in a run of seconds', () => {
    const { samples } = course((i) => 15e6 + i * 1e6)
    expect(
      leaks({ began: 0, ended: 13_000, samples: samples.map((one) => ({ ...one, at: one.at / 300 })) }),
    ).toEqual([])
  })

  it('lets a heap be that grows in the warm-up only, or goes up and down', () => {
    expect(leaks(course((i) => (i < 12 ? 15e6 : 30e6)))).toEqual([])
    expect(leaks(course((i) => 15e6 + (i % 7) * 1e6))).toEqual([])
  })
})

describe("the soak's options", () => {
  it('have defaults, and are refused by name', () => {
    expect(readOptions([])).toMatchObject({ minutes: 60, pace: 1, report: undefined })
    expect(readOptions(['--minutes', '0.5', '--seed', '7'])).toMatchObject({ minutes: 0.5, seed: 7 })
    expect(() => readOptions(['--minutes', 'many'])).toThrow('--minutes: "many" is not a number above 0')
    expect(() => readOptions(['--hours', '1'])).toThrow('hours')
  })
})
