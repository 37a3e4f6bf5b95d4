import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TypeRegistry } from '../../../src/wire/codecs/index.ts'
import { codecOf, decode, encode } from './bytes.ts'

describe('text', () => {
  const text = codecOf('text')

  it('every well-formed string without NUL comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (value) => {
        fc.pre(!value.includes('\0'))
        expect(decode(text, encode(text, value))).toBe(value)
      }),
      { examples: [[''], ['é'], ['😀'], ['a'.repeat(24)], ['a'.repeat(25)], [`${'a'.repeat(20)}😀`]] },
    )
  })

  it('a string of any size comes back', () => {
    for (const value of ['é'.repeat(65_537), 'x'.repeat(1_000_000), '😀'.repeat(40_000)]) {
      expect(decode(text, encode(text, value))).toBe(value)
    }
  })

  it('NUL is refused, in short and in long strings', () => {
    for (const value of ['\0', 'a\0b', `${'x'.repeat(100)}\0`]) {
      expect(() => encode(text, value)).toThrow(/cannot store the character NUL/)
    }
  })

  it('half a surrogate pair is refused rather than replaced', () => {
    for (const value of ['\ud83d', 'a\ude00', '\ude00\ud83d', `${'é'.repeat(100)}\ud83d`]) {
      expect(() => encode(text, value)).toThrow(/half a surrogate pair/)
    }
  })

  it('finite numbers, bigints and booleans go in as JavaScript writes them', () => {
    expect([5, -1.5, 10n, true, false].map((value) => encode(text, value).toString())).toEqual([
      '5',
      '-1.5',
      '10',
      'true',
      'false',
    ])
  })

  it('what has more than one spelling is refused', () => {
    for (const value of [new Date(), Number.NaN, {}, [], Buffer.from('a'), Symbol('s'), () => 1]) {
      expect(() => encode(text, value)).toThrow(/^expected a string/)
    }
  })
})

describe('types without a codec', () => {
  const mood = new TypeRegistry().codec(16_500)

  it('are their text both ways', () => {
    expect([mood.resultFormat, mood.parameterFormat]).toEqual([0, 0])
    expect(decode(mood, Buffer.from('ok'))).toBe('ok')
    expect([encode(mood, 'ok'), encode(mood, 5), encode(mood, 5n), encode(mood, true)].map(String)).toEqual([
      'ok',
      '5',
      '5',
      'true',
    ])
  })

  it('refuse a Date', () => {
    expect(() => encode(mood, new Date())).toThrow(
      'expected a string (or a finite number, a bigint, a boolean), got a Date',
    )
  })

  it('have their OID for a name', () => {
    expect(mood.name).toContain('16500')
  })
})

describe('bool', () => {
  it('both values come back', () => {
    for (const value of [true, false])
      expect(decode(codecOf('bool'), encode(codecOf('bool'), value))).toBe(value)
  })

  it('takes booleans only', () => {
    for (const value of ['true', 't', 1, 0, {}]) {
      expect(() => encode(codecOf('bool'), value)).toThrow(/^expected true or false/)
    }
  })
})

describe('bytea', () => {
  const bytea = codecOf('bytea')

  it('every sequence of bytes comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        expect(decode(bytea, encode(bytea, value))).toEqual(Buffer.from(value))
      }),
    )
  })

  it('a Buffer, a view and an ArrayBuffer are taken by their bytes', () => {
    const whole = Uint8Array.from([1, 2, 3, 4])
    expect([...encode(bytea, Buffer.from(whole))]).toEqual([1, 2, 3, 4])
    expect([...encode(bytea, whole.subarray(1, 3))]).toEqual([2, 3])
    expect([...encode(bytea, whole.buffer)]).toEqual([1, 2, 3, 4])
  })

  it('what was read does not change with the bytes that it was read from', () => {
    const chunk = Buffer.from([1, 2, 3])
    const value = bytea.decode(chunk, 0, 3)
    chunk.fill(9)
    expect(value).toEqual(Buffer.from([1, 2, 3]))
  })

  it('takes no string, no array and no wider view', () => {
    for (const value of ['abc', [1, 2], new Uint16Array(2)]) {
      expect(() => encode(bytea, value)).toThrow(/^expected a Buffer/)
    }
  })
})

describe('uuid', () => {
  const uuid = codecOf('uuid')

  it('sixteen bytes are read as its canonical text', () => {
    fc.assert(
      fc.property(fc.uuid(), (value) => {
        expect(decode(uuid, Buffer.from(value.replaceAll('-', ''), 'hex'))).toBe(value)
      }),
    )
  })

  it('goes out as it was written, for the server to read', () => {
    const text = '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'
    expect(encode(uuid, text).toString()).toBe(text)
    expect(() => encode(uuid, 5)).toThrow(/^expected a UUID/)
  })
})

describe.each(['json', 'jsonb'] as const)('%s', (name) => {
  const codec = codecOf(name)

  it('every JSON value comes back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(value !== null)
        const plain: unknown = JSON.parse(JSON.stringify(value))
        expect(decode(codec, encode(codec, value))).toEqual(plain)
      }),
    )
  })

  it('a string is a JSON string, also where it looks like JSON', () => {
    expect(decode(codec, encode(codec, '{"a":1}'))).toBe('{"a":1}')
  })

  it('toJSON is heard', () => {
    expect(decode(codec, encode(codec, new Date(0)))).toBe('1970-01-01T00:00:00.000Z')
  })

  it('what JSON has not is refused', () => {
    for (const value of [() => 1, Symbol('s'), Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => encode(codec, value)).toThrow(/^expected a value that JSON has/)
    }
    expect(() => encode(codec, 1n)).toThrow(TypeError)
  })

  it('a lone surrogate travels as its escape', () => {
    expect(encode(codec, '\ud83d').toString()).toContain('"\\ud83d"')
  })
})

it('jsonb of an unknown version is refused with a way out', () => {
  expect(() => decode(codecOf('jsonb'), Buffer.from('\x02{}'))).toThrow(/version 2.*select it as text/)
})

it('JSON that JavaScript cannot parse is refused without showing it', () => {
  expect(() => decode(codecOf('json'), Buffer.from('secret'))).toThrow(/^its text is not JSON to JavaScript/)
})
