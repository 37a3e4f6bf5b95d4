import { expect, test } from 'vitest'
import { Slot, type SlotState, SlotTable } from '../../src/pooling/slot.ts'
import { VirtualClock } from './support/virtual-clock.ts'

const states: SlotState[] = [
  'free',
  'connecting',
  'idle',
  'checking',
  'preparing',
  'leased',
  'resetting',
  'closing',
  'terminating',
]

/** The ways from a state to the next that the table allows. */
function successors(path: SlotState[]): SlotState[] {
  return states.filter((to) => {
    const table = new SlotTable<object>(new VirtualClock(), 1)
    const slot = new Slot<object>(0)
    for (const state of path) table.move(slot, state)
    try {
      table.move(slot, to)
      return true
    } catch {
      return false
    }
  })
}

test('a slot goes from each state to those that may follow it, and nowhere else', () => {
  const leaving: SlotState[] = ['closing', 'terminating']
  const ways: [SlotState[], SlotState[]][] = [
    [[], ['connecting']],
    [['connecting'], ['free', 'idle', 'preparing', 'leased', ...leaving]],
    [
      ['connecting', 'idle'],
      ['checking', 'preparing', 'leased', ...leaving],
    ],
    [
      ['connecting', 'idle', 'checking'],
      ['idle', 'preparing', 'leased', ...leaving],
    ],
    [
      ['connecting', 'preparing'],
      ['idle', 'preparing', 'leased', 'resetting', ...leaving],
    ],
    [
      ['connecting', 'leased'],
      ['idle', 'preparing', 'leased', 'resetting', ...leaving],
    ],
    [
      ['connecting', 'leased', 'resetting'],
      ['idle', 'preparing', 'leased', ...leaving],
    ],
    [
      ['connecting', 'closing'],
      ['free', 'terminating'],
    ],
    [['connecting', 'terminating'], ['free']],
  ]
  for (const [path, expected] of ways) expect(successors(path), path.join(' → ')).toEqual(expected)
})

test('each state is counted by itself', () => {
  const table = new SlotTable<object>(new VirtualClock(), 3)
  const slot = new Slot<object>(0)
  const path: SlotState[] = [
    'connecting',
    'idle',
    'checking',
    'preparing',
    'leased',
    'resetting',
    'closing',
    'terminating',
    'free',
  ]
  for (const state of path) {
    table.move(slot, state)
    const counts = Object.entries(table.counts).filter(([, count]) => count > 0)
    expect(counts).toEqual(
      state === 'free'
        ? [['free', 3]]
        : [
            ['free', 2],
            [state, 1],
          ],
    )
  }
})

test('a move that is not allowed changes nothing and names both states', () => {
  const table = new SlotTable<object>(new VirtualClock(), 1)
  const slot = new Slot<object>(0)
  expect(() => table.move(slot, 'leased')).toThrow('a slot cannot go from free to leased')
  expect(table.counts).toMatchObject({ free: 1, leased: 0 })
})

test('a move ends the timer of the state before', () => {
  const clock = new VirtualClock()
  const table = new SlotTable<object>(clock, 1)
  const slot = new Slot<object>(0)
  table.move(slot, 'connecting')
  table.limit(slot, 1_000, () => {})
  expect(clock.timers).toBe(1)
  table.move(slot, 'idle')
  expect(clock.timers).toBe(0)
})

test('the idle stack holds the idle slots and no others', () => {
  const table = new SlotTable<object>(new VirtualClock(), 2)
  const [a, b] = [new Slot<object>(0), new Slot<object>(0)]
  for (const slot of [a, b]) {
    table.move(slot, 'connecting')
    table.move(slot, 'idle')
  }
  table.move(a, 'checking')
  expect([...table.idle]).toEqual([b])
  table.move(a, 'idle')
  expect(table.idle.last).toBe(a)
})
