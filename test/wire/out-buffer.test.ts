import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OutBuffer } from '../../src/wire/out-buffer.ts'

describe('the bytes of a flush', () => {
  it('stay what was written, whoever writes and flushes meanwhile', () => {
    const step = fc.record({
      who: fc.nat(3),
      // Beyond what is allocated at once, too.
      length: fc.oneof(fc.nat(40), fc.nat(3_000), fc.nat(20_000)),
      byte: fc.nat(255),
      flushes: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outs = [new OutBuffer(), new OutBuffer(), new OutBuffer(), new OutBuffer(1)]
        const written: Buffer[][] = outs.map(() => [])
        const flushed: { taken: Buffer; wanted: Buffer }[] = []
        for (const { who, length, byte, flushes } of steps) {
          const bytes = Buffer.alloc(length, byte)
          outs[who]!.bytes(bytes)
          written[who]!.push(bytes)
          if (!flushes) continue
          flushed.push({ taken: outs[who]!.take(), wanted: Buffer.concat(written[who]!) })
          written[who] = []
        }
        for (const { taken, wanted } of flushed) expect(taken.equals(wanted)).toBe(true)
      }),
    )
  })

  it('leave nothing behind that the idle would hold', () => {
    const out = new OutBuffer()
    expect(out.buffer).toHaveLength(0)
    out.int32(1)
    out.take()
    expect(out.buffer).toHaveLength(0)
  })

  it('of short messages take their memory from one piece', () => {
    const memory = new Set<ArrayBufferLike>()
    for (let i = 0; i < 40; i++) {
      const out = new OutBuffer()
      out.int32(i)
      memory.add(out.take().buffer)
    }
    expect(memory.size).toBeLessThanOrEqual(2)
  })
})
