import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeadlineQueue, type Line, mostAtOnce, type Timed } from '../../src/pooling/deadline-queue.ts'
import { VirtualClock } from './support/virtual-clock.ts'

class Item implements Timed<Item> {
  line: Line<Item> | undefined
  before: Item | undefined
  behind: Item | undefined
  readonly since: number
  readonly timeout: number
  constructor(since: number, timeout: number) {
    this.since = since
    this.timeout = timeout
  }
  get deadline(): number {
    return this.since + this.timeout
  }
}

/** A queue with a clock, and what it told: the items of each time. */
function makeQueue() {
  const clock = new VirtualClock()
  const batches: Item[][] = []
  const queue = new DeadlineQueue<Item>(clock, (items, now) => {
    expect(now).toBe(clock.now())
    batches.push(items)
  })
  const add = (timeout: number) => {
    const item = new Item(clock.now(), timeout)
    queue.add(item)
    return item
  }
  return { clock, queue, batches, add }
}

const few = fc.constantFrom(10, 20, 30)
const many = fc.integer({ min: 1, max: 500 })

for (const [which, timeouts] of [
  ['few', few],
  ['many', many],
] as const) {
  test(`whatever comes and leaves, with ${which} different time-outs, the rest expires when it is due, under one timer`, async () => {
    const step = fc.record({
      pause: fc.integer({ min: 0, max: 5 }),
      timeout: timeouts,
      removes: fc.option(fc.nat(1_000)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 100, size: 'max' }), async (steps) => {
        const clock = new VirtualClock()
        const waiting: Item[] = []
        const queue = new DeadlineQueue<Item>(clock, (items, now) => {
          for (const item of items) {
            expect(item.deadline).toBe(now)
            const [removed] = waiting.splice(waiting.indexOf(item), 1)
            expect(removed).toBe(item)
          }
        })
        for (const { pause, timeout, removes } of steps) {
          await clock.advance(pause)
          const item = new Item(clock.now(), timeout)
          waiting.push(item)
          queue.add(item)
          if (removes !== null) {
            const [removed] = waiting.splice(removes % waiting.length, 1)
            queue.remove(removed!)
            queue.remove(removed!)
          }
          expect(clock.timers).toBeLessThanOrEqual(1)
          for (const { deadline } of waiting) expect(deadline).toBeGreaterThan(clock.now())
        }
        await clock.advance(500)
        expect(waiting).toEqual([])
      }),
      { numRuns: 50 },
    )
  })
}

test('those whose time runs out together come together', async () => {
  const { clock, batches, add } = makeQueue()
  for (const timeout of [10, 20, 10, 10]) add(timeout)
  await clock.advance(30)
  expect(batches.map(({ length }) => length)).toEqual([3, 1])
})

test('after a stall those that are overdue come in the order of their deadlines, whatever their time-outs', async () => {
  const { clock, queue, batches, add } = makeQueue()
  const first = add(10)
  await clock.advance(1)
  const c = add(30)
  const b = add(20)
  await clock.advance(8)
  const d = add(10)
  const e = add(1_000)
  queue.remove(first)
  clock.stall(100)
  await clock.advance(0)
  // The deadlines of b, c and d: 21, 31 and 19.
  expect(batches).toEqual([[d, b, c]])
  await clock.advance(1_000)
  expect(batches).toEqual([[d, b, c], [e]])
})

test('where a great many are overdue, so many come in one turn, and the others may leave before the next', async () => {
  const { clock, queue, batches, add } = makeQueue()
  const items = Array.from({ length: 2 * mostAtOnce + 2 }, () => add(10))
  let turns = 0
  const left: Item[] = []
  const leave = (item: Item) => {
    queue.remove(item)
    left.push(item)
  }
  clock.setTimer(10, () => {
    turns++
    expect(batches.map(({ length }) => length)).toEqual([mostAtOnce])
    leave(items[mostAtOnce]!)
    leave(items.at(-1)!)
  })
  await clock.advance(10)
  expect(turns).toBe(1)
  expect(batches.map(({ length }) => length)).toEqual([mostAtOnce, mostAtOnce])
  expect(batches.flat()).toEqual(items.filter((item) => !left.includes(item)))
  expect(clock.timers).toBe(0)
})

test('nobody is told where all whose time it was have left', async () => {
  const { clock, queue, batches, add } = makeQueue()
  const left = add(10)
  add(20)
  queue.remove(left)
  await clock.advance(15)
  expect(batches).toEqual([])
  await clock.advance(5)
  expect(batches.map(({ length }) => length)).toEqual([1])
})

test('one after the other with the same time-out take one timer for a whole time-out', async () => {
  const { clock, queue, add } = makeQueue()
  for (let i = 0; i < 9; i++) {
    queue.remove(add(100))
    await clock.advance(10)
  }
  expect(clock.timersSet).toBe(1)
  const last = add(100)
  await clock.advance(10)
  expect(clock.timersSet).toBe(2)
  queue.remove(last)
  await clock.advance(90)
  expect(clock.timers).toBe(0)
})

test('time-outs that come once leave nothing behind: only what waits keeps the timer ringing', async () => {
  const { clock, queue, batches, add } = makeQueue()
  for (let timeout = 1_000; timeout > 900; timeout--) queue.remove(add(timeout))
  const kept = add(2_000)
  const { timersSet } = clock
  await clock.advance(2_000)
  expect(batches).toEqual([[kept]])
  // One idle ring, of the earliest time that was asked for, and the ring for the one that was kept.
  expect(clock.timersSet - timersSet).toBe(1)
})

test('a time-out that nobody has any more does not ring, though others came after it', async () => {
  const { clock, queue, batches, add } = makeQueue()
  const first = add(500)
  const left = add(1_000)
  const last = add(2_000)
  queue.remove(left)
  await clock.advance(2_000)
  expect(batches).toEqual([[first], [last]])
  expect(clock.timersSet).toBe(2)
})

test('the timer stops when the queue does', () => {
  const { clock, queue, add } = makeQueue()
  queue.remove(add(10))
  queue.stop()
  expect(clock.timers).toBe(0)
})
