import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectionLostError, DataError } from '../../src/errors.ts'
import { TypeRegistry } from '../../src/wire/codecs/index.ts'
import { loopingReader, type RowReader } from '../../src/wire/row-reader.ts'
import { generateReader } from '../../src/wire/row-source.ts'
import { int32s, int64, oids, type TypeName } from './codecs/bytes.ts'
import { dataRow } from './rows.ts'

const registry = new TypeRegistry()
const types: TypeName[] = ['int4', 'text', 'timestamptz', 'inet[]', 'int4[]', 'uuid', 'jsonb', 'interval']
const plan = {
  names: types.map((_, i) => `c${i}`),
  codecs: types.map((name) => registry.codec(oids[name])),
  rowMode: 'object' as const,
}
const whole = dataRow([
  int32s(1),
  Buffer.from('a title'),
  int64(1_234_567n),
  Buffer.from('{a,"b\\"",NULL}'),
  int32s(1, 0, 23, 2, 1, 4, 7, -1),
  Buffer.alloc(16, 1),
  Buffer.from('\x01{"a":1}'),
  Buffer.concat([int64(1n), int32s(2, 3)]),
])

type Result = { row: unknown } | { error: unknown }

function attempt(reader: RowReader, bytes: Buffer, start: number, end: number): Result {
  try {
    return { row: reader(bytes, start, end) }
  } catch (error) {
    return { error }
  }
}

/** Reads `body` between other bytes, twice, with others each time: what lies outside must not matter. */
function readTwice(reader: RowReader, body: Buffer): Result {
  const [zeros, ones] = [0x00, 0xff].map((fill) => {
    const around = Buffer.alloc(32, fill)
    return attempt(reader, Buffer.concat([around, body, around]), 32, 32 + body.length)
  }) as [Result, Result]
  expect(ones).toEqual(zeros)
  return zeros
}

const readers = { generated: generateReader(plan), looping: loopingReader(plan) }

describe.each(Object.entries(readers))('the %s reader', (_, reader) => {
  it('reads the whole row', () => {
    expect(readTwice(reader, whole)).toMatchObject({
      row: { c0: 1, c1: 'a title', c3: ['a', 'b"', null], c4: [7, null] },
    })
  })

  it('refuses the row cut at any byte as a broken protocol', () => {
    for (let length = 0; length < whole.length; length++) {
      const { error } = readTwice(reader, whole.subarray(0, length)) as { error: unknown }
      expect(error, `cut at ${length}`).toBeInstanceOf(ConnectionLostError)
    }
  })

  it('refuses a row with bytes after its last column', () => {
    expect(readTwice(reader, Buffer.concat([whole, Buffer.alloc(1)]))).toMatchObject({
      error: { code: 'ROCKPOOL_CONNECTION_LOST', message: expect.stringContaining('after its last column') },
    })
  })

  it.each([-2, -0x8000_0000, 0x7fff_ffff, 5])(
    'refuses the length %i of a value that has 4 bytes',
    (length) => {
      const lying = Buffer.from(whole)
      lying.writeInt32BE(length, 2)
      expect(readTwice(reader, lying)).toMatchObject({ error: { code: 'ROCKPOOL_CONNECTION_LOST' } })
    },
  )

  it.each([0, 7, 9, 0xffff])('refuses a row that claims %i columns', (count) => {
    const lying = Buffer.from(whole)
    lying.writeUInt16BE(count, 0)
    expect(readTwice(reader, lying)).toMatchObject({
      error: { message: expect.stringContaining(`a row of 8 columns has ${count}`) },
    })
  })
})

it('only -1 is NULL', () => {
  const single = { names: ['v'], codecs: [registry.codec(oids.text)], rowMode: 'array' as const }
  for (const reader of [generateReader(single), loopingReader(single)]) {
    const row = dataRow([null])
    expect(readTwice(reader, row)).toEqual({ row: [null] })
    row.writeInt32BE(-2, 2)
    expect(readTwice(reader, row)).toMatchObject({
      error: { message: expect.stringContaining('the length -2') },
    })
  }
})

it('whatever the bytes are, both readers agree, and fail only with errors of this library', () => {
  const mutation = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }))
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.nat({ max: 8 }), (mutations, cut) => {
      const body = Buffer.from(whole).subarray(0, whole.length - (cut === 8 ? 8 : 0))
      for (const [at, byte] of mutations) if (at < body.length) body[at] = byte
      const generated = readTwice(readers.generated, body)
      expect(generated).toEqual(readTwice(readers.looping, body))
      if ('error' in generated) {
        expect(generated.error instanceof ConnectionLostError || generated.error instanceof DataError).toBe(
          true,
        )
      }
    }),
    { numRuns: 3000 },
  )
})

it.each(Object.entries(oids))(
  '%s (OID %i) refuses any size that it cannot have, and reads within its bounds',
  (_, oid) => {
    const reader = generateReader({ names: ['v'], codecs: [registry.codec(oid)], rowMode: 'array' })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
        const result = readTwice(reader, dataRow([Buffer.from(value)]))
        if ('error' in result) {
          expect(result.error instanceof ConnectionLostError || result.error instanceof DataError).toBe(true)
        }
      }),
    )
  },
)
