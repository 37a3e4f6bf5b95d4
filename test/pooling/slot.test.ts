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

test('a slot goes from free to connecting, and from terminating to free, and nowhere else', () => {
  expect(successors([])).toEqual(['connecting'])
  expect(successors(['connecting', 'terminating'])).toEqual(['free'])
})

test('every open connection may be closed and terminated, and a closing one never comes back', () => {
  for (const state of ['idle', 'preparing', 'leased'] as const) {
    expect(successors(['connecting', state])).toEqual(expect.arrayContaining(['closing', 'terminating']))
  }
  expect(successors(['connecting', 'closing'])).toEqual(['free', 'terminating'])
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
