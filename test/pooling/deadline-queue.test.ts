import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeadlineQueue, type Timed } from '../../src/pooling/deadline-queue.ts'
import { VirtualClock } from './support/virtual-clock.ts'

class Item implements Timed {
  place = -1
  readonly deadline: number
  constructor(deadline: number) {
    this.deadline = deadline
  }
}

test('whatever is added and removed, the rest expires in the order of its deadlines, under one timer', async () => {
  const step = fc.record({ deadline: fc.integer({ min: 1, max: 500 }), removes: fc.option(fc.nat(1_000)) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 100, size: 'max' }), async (steps) => {
      const clock = new VirtualClock()
      const expired: number[] = []
      const queue = new DeadlineQueue<Item>(clock, (items) =>
        expired.push(...items.map((item) => item.deadline)),
      )
      const items: Item[] = []
      for (const { deadline, removes } of steps) {
        const item = new Item(deadline)
        items.push(item)
        queue.add(item, 0)
        if (removes !== null) {
          const [removed] = items.splice(removes % items.length, 1)
          queue.remove(removed!)
          queue.remove(removed!)
        }
        expect(clock.timers).toBeLessThanOrEqual(1)
      }
      await clock.advance(500)
      expect(expired).toEqual(items.map((item) => item.deadline).sort((a, b) => a - b))
    }),
    { numRuns: 50 },
  )
})

test('those whose time runs out together come together', async () => {
  const clock = new VirtualClock()
  const batches: number[] = []
  const queue = new DeadlineQueue<Item>(clock, (items) => batches.push(items.length))
  for (const deadline of [10, 20, 10, 10]) queue.add(new Item(deadline), 0)
  await clock.advance(30)
  expect(batches).toEqual([3, 1])
})

test('nobody is told where all whose time it was have left', async () => {
  const clock = new VirtualClock()
  const batches: number[] = []
  const queue = new DeadlineQueue<Item>(clock, (items) => batches.push(items.length))
  const left = new Item(10)
  queue.add(left, 0)
  queue.add(new Item(20), 0)
  queue.remove(left)
  await clock.advance(15)
  expect(batches).toEqual([])
  await clock.advance(5)
  expect(batches).toEqual([1])
})
