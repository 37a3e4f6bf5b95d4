import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap, type Ranked } from '../../src/pooling/heap.ts'

interface Numbered extends Ranked {
  readonly id: number
}

test('whatever is added, removed and put off, the first is the least, and the others follow in order', () => {
  const step = fc.record({ due: fc.nat(50), changes: fc.option(fc.nat(1_000)), removes: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), (steps) => {
      const heap = new Heap<Numbered>()
      const items: Numbered[] = []
      const least = () => (items.length === 0 ? undefined : Math.min(...items.map(({ due }) => due)))
      for (const [id, { due, changes, removes }] of steps.entries()) {
        const item = { id, due, place: -1 }
        heap.add(item)
        items.push(item)
        if (changes !== null) {
          const place = changes % items.length
          const changed = items[place]!
          if (removes) {
            heap.remove(changed)
            expect(changed.place).toBe(-1)
            items.splice(place, 1)
          } else {
            changed.due += due
            heap.sink(changed)
          }
        }
        expect(heap.first?.due).toBe(least())
      }
      while (items.length > 0) {
        const first = heap.first!
        expect(first.due).toBe(least())
        heap.remove(first)
        items.splice(items.indexOf(first), 1)
      }
      expect(heap.first).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})
