import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectionLostError } from '../../../src/errors.ts'
import { codecOf, decode, encode, int32s } from './bytes.ts'

function grid<T>(element: fc.Arbitrary<T>): fc.Arbitrary<(T | null)[][]> {
  const item = fc.option(element)
  return fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })).chain(([rows, columns]) =>
    fc.array(fc.array(item, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  )
}

describe('arrays in binary', () => {
  const codec = codecOf('int4[]')

  it('lists with NULLs come back', () => {
    const item = fc.option(fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }))
    fc.assert(
      fc.property(fc.array(item), (list) => {
        expect(decode(codec, encode(codec, list))).toEqual(list)
      }),
      {
        examples: [[[]], [[null]]],
      },
    )
  })

  it('nested ones come back', () => {
    fc.assert(
      fc.property(grid(fc.integer({ min: -9, max: 9 })), (rows) => {
        expect(decode(codec, encode(codec, rows))).toEqual(rows)
        expect(decode(codec, encode(codec, [rows, rows]))).toEqual([rows, rows])
      }),
    )
  })

  it('are written with their dimensions, lower bounds of 1 and whether there are NULLs', () => {
    expect(encode(codec, [[7], [null]])).toEqual(int32s(2, 1, 23, 2, 1, 1, 1, 4, 7, -1))
    expect(encode(codec, [7])).toEqual(int32s(1, 0, 23, 1, 1, 4, 7))
    expect(encode(codec, [])).toEqual(int32s(0, 0, 23))
  })

  it('any lower bound is read', () => {
    const bytes = int32s(1, 0, 23, 2, -5, 4, 7, -1)
    expect(decode(codec, bytes)).toEqual([7, null])
  })

  it('an array of empty arrays is the empty array', () => {
    expect(decode(codec, encode(codec, [[], []]))).toEqual([])
  })

  it.each([
    ['a header cut short', int32s(1, 0)],
    ['dimensions below zero', int32s(-1, 0, 23)],
    ['seven dimensions', Buffer.concat([int32s(7, 0, 23), Buffer.alloc(56)])],
    ['dimensions beyond the end', int32s(2, 0, 23, 1, 1)],
    ['a length below zero', int32s(1, 0, 23, -1, 1)],
    ['more elements than bytes', int32s(1, 0, 23, 0x7fff_ffff, 1)],
    ['lengths whose product is enormous', int32s(2, 0, 23, 0x7fff_ffff, 1, 0x7fff_ffff, 1)],
    ['an element beyond the end', int32s(1, 0, 23, 1, 1, 5, 0)],
    ['an element of the length -2', int32s(1, 0, 23, 1, 1, -2)],
    ['elements that eat their followers', Buffer.concat([int32s(1, 0, 25, 2, 1, 4, 0)])],
    ['bytes after the last element', int32s(1, 0, 23, 1, 1, -1, 0)],
    ['an element of the wrong size', Buffer.concat([int32s(1, 0, 23, 1, 1, 3), Buffer.alloc(3)])],
  ])('%s is a broken protocol', (_, bytes) => {
    expect(() => decode(codec, bytes)).toThrow(ConnectionLostError)
  })
})

describe('arrays in text', () => {
  const codec = codecOf('inet[]')
  const literal = (text: string) => decode(codec, Buffer.from(text))

  it('every string comes back, whatever it looks like', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.string({ unit: 'grapheme' }))), (list) => {
        expect(decode(codec, encode(codec, list))).toEqual(list)
      }),
      { examples: [[['NULL', 'null', '', '{', '}', ',', '"', '\\', '\\"', ' a ', null]], [[]]] },
    )
  })

  it('nested ones come back', () => {
    fc.assert(
      fc.property(grid(fc.string()), (rows) => {
        expect(decode(codec, encode(codec, rows))).toEqual(rows)
      }),
    )
  })

  it('is read as the server writes it', () => {
    expect(literal('{a,NULL,"NULL","b c","d\\"\\\\","",é}')).toEqual([
      'a',
      null,
      'NULL',
      'b c',
      'd"\\',
      '',
      'é',
    ])
    expect(literal('[2:3][0:1]={{a,b},{c,NULL}}')).toEqual([
      ['a', 'b'],
      ['c', null],
    ])
    expect(literal('{}')).toEqual([])
  })

  it('the elements of box[] are separated by semicolons', () => {
    const boxes = ['(1,2),(0,0)', '(3,4),(1,1)']
    expect(decode(codecOf('box[]'), Buffer.from('{(1,2),(0,0);(3,4),(1,1)}'))).toEqual(boxes)
    expect(encode(codecOf('box[]'), boxes).toString()).toBe('{"(1,2),(0,0)";"(3,4),(1,1)"}')
  })

  it('the elements are the element type’s values', () => {
    expect(encode(codecOf('timestamptz[]'), [new Date(0), null]).toString()).toBe(
      '{"1970-01-01T00:00:00Z",NULL}',
    )
  })

  it.each([
    '',
    'a',
    '{',
    '{a',
    '{"a',
    '{"a\\',
    '{"a"b}',
    '{a}b',
    '{a}}',
    '[1:1',
    '[1:1]=',
    '{{{{{{{a}}}}}}}',
    '{a;b',
  ])('the text %s is a broken protocol', (text) => expect(() => literal(text)).toThrow(ConnectionLostError))
})

describe('arrays going in', () => {
  const refusal = (name: Parameters<typeof codecOf>[0], value: unknown) => {
    try {
      encode(codecOf(name), value)
    } catch (error) {
      const { message, path } = error as Error & { path: number[] }
      return { message, path }
    }
    return undefined
  }

  it.each([
    [[[1, 2], [3]], [1]],
    [[[1], 2], [1]],
    [[1, [2]], [1]],
    [[[[1]], [[1], [2]]], [1]],
    [
      [[[1, 2]], [[3]]],
      [1, 0],
    ],
    [[null, [1]], [1]],
    [[[1], null], [1]],
  ])('%j is not rectangular', (value, path) => {
    expect(refusal('int4[]', value)).toMatchObject({ path })
  })

  it('a refused element is told by its place', () => {
    const expected = { message: expect.stringMatching(/^expected an integer/), path: [1, 2] }
    expect(
      refusal('int4[]', [
        [1, 2, 3],
        [4, 5, 6.5],
      ]),
    ).toEqual(expected)
    expect(
      refusal('inet[]', [
        ['a', 'b'],
        ['c', {}],
      ]),
    ).toMatchObject({ path: [1, 1] })
    expect(refusal('int4[]', [1, undefined])).toMatchObject({
      message: expect.stringContaining('use null'),
      path: [1],
    })
  })

  it('what is no array is refused', () => {
    for (const value of ['{1}', 5, {}, new Int32Array(2)]) {
      expect(refusal('int4[]', value)?.message).toMatch(/^expected an array/)
    }
  })

  it('more than six dimensions, and an array within itself, are refused', () => {
    const endless: unknown[] = []
    endless.push(endless)
    expect(refusal('int4[]', [[[[[[[1]]]]]]])?.message).toMatch(/6 dimensions at most/)
    expect(refusal('int4[]', endless)?.message).toMatch(/6 dimensions at most/)
    expect(refusal('int4[]', [[[[[[1]]]]]])).toBeUndefined()
  })

  it('each element of json[] is a JSON value, an array too', () => {
    for (const name of ['json[]', 'jsonb[]'] as const) {
      const value = [[1, [2]], { a: '"' }, 'x', null]
      expect(decode(codecOf(name), encode(codecOf(name), value))).toEqual(value)
    }
  })
})
