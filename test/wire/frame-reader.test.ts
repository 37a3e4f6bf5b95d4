import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectionLostError } from '../../src/errors.ts'
import { FrameReader } from '../../src/wire/frame-reader.ts'
import { int32, message } from './support/backend.ts'

interface Frame {
  type: string
  body: string
}

/** What the sink sees, and where each body lay. */
function reading(longest?: number) {
  const frames: Frame[] = []
  const places: Buffer[] = []
  const reader = new FrameReader((type, bytes, start, end) => {
    frames.push({ type: String.fromCharCode(type), body: bytes.toString('latin1', start, end) })
    places.push(bytes)
  }, longest)
  return { reader, frames, places }
}

const sent: Frame[] = [
  { type: 'D', body: 'a row' },
  { type: 'C', body: '' },
  { type: 'D', body: 'x'.repeat(40) },
  { type: 'Z', body: 'I' },
]
const bytes = Buffer.concat(sent.map(({ type, body }) => message(type, Buffer.from(body, 'latin1'))))

describe('messages', () => {
  it('are the same wherever the chunks end', () => {
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const { reader, frames } = reading()
        for (const chunk of [
          bytes.subarray(0, first),
          bytes.subarray(first, second),
          bytes.subarray(second),
        ]) {
          reader.feed(chunk)
        }
        expect(frames, `cut at ${first} and ${second}`).toEqual(sent)
        expect(reader.rest()).toHaveLength(0)
      }
    }
  })

  it('come as soon as they are whole, a byte at a time', () => {
    const { reader, frames } = reading()
    let whole = 0
    let end = 0
    for (const [at, byte] of bytes.entries()) {
      reader.feed(Buffer.of(byte))
      if (at + 1 === end + 5 + sent[whole]!.body.length) {
        end = at + 1
        whole++
      }
      expect(frames).toHaveLength(whole)
    }
  })

  it('of any length are the same in chunks of any', () => {
    const bodies = fc.array(fc.string({ unit: 'binary-ascii', maxLength: 300 }), { maxLength: 8 })
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(400)), (texts, cuts) => {
        const all = Buffer.concat(texts.map((text) => message('D', Buffer.from(text, 'latin1'))))
        const { reader, frames } = reading()
        let at = 0
        for (const length of [...cuts, all.length]) {
          reader.feed(all.subarray(at, at + length))
          at += length
        }
        expect(frames.map(({ body }) => body)).toEqual(texts)
      }),
    )
  })

  it('that are whole are read where they lie, behind one that was cut, too', () => {
    const { reader, places } = reading()
    const chunks: Buffer[] = [bytes.subarray(0, 13), bytes.subarray(13)]
    for (const chunk of chunks) reader.feed(chunk)
    expect(places.map((place) => chunks.indexOf(place))).toEqual([0, -1, 1, 1])
  })

  it('of the longest length are taken, a longer one is a broken protocol, wherever its header is cut', () => {
    for (let cut = 0; cut <= 5; cut++) {
      const { reader, frames } = reading(9)
      for (const size of [9, 10]) {
        const header = Buffer.concat([Buffer.from('D'), int32(size)])
        const feed = () => {
          reader.feed(header.subarray(0, cut))
          reader.feed(header.subarray(cut))
        }
        if (size === 9) feed()
        else expect(feed, `cut at ${cut}`).toThrow(ConnectionLostError)
        if (size === 9) reader.feed(Buffer.from('12345'))
      }
      expect(frames).toEqual([{ type: 'D', body: '12345' }])
    }
  })

  it('a length that does not count itself is a broken protocol', () => {
    const { reader } = reading()
    expect(() => reader.feed(Buffer.concat([Buffer.from('D'), int32(3)]))).toThrow('has the length 3')
  })
})

describe('after stop()', () => {
  it('nothing more is handed on, and what came is the rest', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const frames: string[] = []
      const reader = new FrameReader((type) => {
        frames.push(String.fromCharCode(type))
        if (frames.length === 2) reader.stop()
      })
      reader.feed(bytes.subarray(0, cut))
      reader.feed(bytes.subarray(cut))
      reader.feed(Buffer.from('more'))
      expect(frames, `cut at ${cut}`).toEqual(['D', 'C'])
      expect(reader.rest().toString('latin1')).toBe(`${bytes.toString('latin1', 15)}more`)
    }
  })

  it('what was kept of a message before stays the beginning of the rest', () => {
    const { reader, frames } = reading()
    reader.feed(bytes.subarray(0, 3))
    reader.stop()
    reader.feed(bytes.subarray(3))
    expect(frames).toEqual([])
    expect(reader.rest()).toEqual(bytes)
  })
})
