import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { DataError } from '../../src/errors.ts'
import { TypeRegistry } from '../../src/wire/codecs/index.ts'
import { compileRowReader, loopingReader, type RowMode, type RowReader } from '../../src/wire/row-reader.ts'
import { generateReader } from '../../src/wire/row-source.ts'
import { int32s, int64, oids, type TypeName } from './codecs/bytes.ts'
import { dataRow, fieldsOf } from './rows.ts'

type Column = [name: string, type: TypeName, bytes: Buffer | null, value: unknown]

const registry = new TypeRegistry()

const makers = {
  generated: generateReader,
  looping: loopingReader,
}

function read(make: typeof loopingReader, columns: Column[], rowMode: RowMode = 'object'): unknown {
  const names = columns.map(([name]) => name)
  const codecs = columns.map(([, type]) => registry.codec(oids[type]))
  const body = dataRow(columns.map(([, , bytes]) => bytes))
  const chunk = Buffer.concat([Buffer.from('D----'), body, Buffer.from('next')])
  return make({ names, codecs, rowMode })(chunk, 5, 5 + body.length)
}

const samples: [TypeName, Buffer, unknown][] = [
  ['int4', int32s(-5), -5],
  ['int8', int64(2n ** 40n), 2 ** 40],
  ['float8', Buffer.from('3ff8000000000000', 'hex'), 1.5],
  ['bool', Buffer.from([1]), true],
  ['text', Buffer.from(''), ''],
  ['text', Buffer.from('a task to do'), 'a task to do'],
  ['text', Buffer.from('twenty-four characters !'), 'twenty-four characters !'],
  ['text', Buffer.from('grüße, 😀'), 'grüße, 😀'],
  [
    'text',
    Buffer.from('a line that is longer than the short ones'),
    'a line that is longer than the short ones',
  ],
  ['numeric', Buffer.from('1.50'), '1.50'],
  ['timestamptz', int64(0n), new Date('2000-01-01T00:00:00Z')],
  ['uuid', Buffer.alloc(16, 0xab), 'abababab-abab-abab-abab-abababababab'],
  ['jsonb', Buffer.from('\x01{"a":[1]}'), { a: [1] }],
  ['int4[]', int32s(1, 0, 23, 2, 1, 4, 7, -1), [7, null]],
]

const column = fc
  .tuple(fc.string(), fc.constantFrom(...samples), fc.boolean())
  .map(
    ([name, [type, bytes, value], present]): Column => [
      name,
      type,
      present ? bytes : null,
      present ? value : null,
    ],
  )

describe.each(Object.entries(makers))('the %s reader', (_, make) => {
  it('gives a plain object by column name', () => {
    const columns = samples.map(([type, bytes, value], i): Column => [`c${i}`, type, bytes, value])
    const row = read(make, columns)
    expect(row).toEqual(Object.fromEntries(columns.map(([name, , , value]) => [name, value])))
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
    expect(Object.keys(row as object)).toEqual(columns.map(([name]) => name))
  })

  it('gives every value in its order in array mode', () => {
    const columns = samples.map(([type, bytes, value]): Column => ['same', type, bytes, value])
    expect(read(make, columns, 'array')).toEqual(samples.map(([, , value]) => value))
  })

  it('reads text of every length up to the longest short one and beyond', () => {
    for (let length = 0; length < 40; length++) {
      const ascii = 'abcdefghij'.repeat(4).slice(0, length)
      const columns = [ascii, `${ascii}é`, `é${ascii}`].map(
        (text): Column => ['t', 'text', Buffer.from(text), text],
      )
      expect(read(make, columns, 'array')).toEqual(columns.map(([, , , text]) => text))
    }
  })

  it('of two columns of one name the last wins', () => {
    const columns: Column[] = [
      ['id', 'int4', int32s(1), 1],
      ['other', 'int4', null, null],
      ['id', 'int4', int32s(2), 2],
    ]
    expect(Object.entries(read(make, columns) as object)).toEqual([
      ['id', 2],
      ['other', null],
    ])
  })

  it('__proto__ is a key like any other', () => {
    const row = read(make, [['__proto__', 'jsonb', Buffer.from('\x01{"polluted":1}'), undefined]]) as object
    expect(Object.getOwnPropertyNames(row)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
    expect((row as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.getOwnPropertyDescriptor(row, '__proto__')).toEqual({
      value: { polluted: 1 },
      configurable: true,
      enumerable: true,
      writable: true,
    })
  })

  it.each([
    '',
    '"',
    "'",
    '`$',
    '\\',
    '"]: process.exit(1), ["',
    '*/',
    '\n',
    '\u2028',
    'é',
    '1',
    '?column?',
    'constructor',
  ])('the column name %j is data', (name) =>
    expect(Object.entries(read(make, [[name, 'int4', int32s(1), 1]]) as object)).toEqual([[name, 1]]),
  )

  it('a row without columns is empty', () => {
    expect(read(make, [])).toEqual({})
    expect(read(make, [], 'array')).toEqual([])
  })

  it('a row of 1,664 columns is read', () => {
    const columns = Array.from({ length: 1664 }, (_, i): Column => [`c${i}`, 'int4', int32s(i), i])
    expect(Object.values(read(make, columns) as object)).toEqual(columns.map(([, , , value]) => value))
  })

  it('a value that JavaScript has not rejects by column and type, the statement having taken effect', () => {
    const columns: Column[] = [
      ['id', 'int4', int32s(1), 1],
      ['big "one"', 'int8', int64(2n ** 60n), undefined],
    ]
    expect(() => read(make, columns)).toThrow(DataError)
    expect(() => read(make, columns)).toThrow(
      expect.objectContaining({
        outcome: 'executed',
        message: expect.stringMatching(
          /^cannot decode column "big \\"one\\"" \(int8\): .*types: \{ int8: 'bigint' \}/,
        ),
      }),
    )
  })
})

it('both readers read the same from any row', () => {
  fc.assert(
    fc.property(
      fc.array(column, { maxLength: 12 }),
      fc.constantFrom('object', 'array'),
      (columns, rowMode) => {
        const looped = read(loopingReader, columns, rowMode as RowMode)
        const generated = read(generateReader, columns, rowMode as RowMode)
        expect(generated).toStrictEqual(looped)
        expect(Object.keys(generated as object)).toEqual(Object.keys(looped as object))
      },
    ),
    {
      examples: [
        [
          [
            ['__proto__', 'int4', int32s(1), 1],
            ['2', 'text', null, null],
            ['1', 'text', null, null],
          ],
          'object',
        ],
      ],
    },
  )
})

describe('where code generation from strings is forbidden', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it('rows are read all the same', () => {
    let refused = 0
    class Forbidden {
      constructor() {
        refused++
        throw new EvalError('Code generation from strings disallowed for this context')
      }
    }
    vi.stubGlobal('Function', Forbidden)
    const codecs = registry.codecs([oids.int4, oids.text])
    const reader: RowReader = compileRowReader(
      fieldsOf(['id', 'title'], [oids.int4, oids.text]),
      codecs,
      'object',
    )
    vi.unstubAllGlobals()
    const body = dataRow([int32s(1), Buffer.from('x')])
    expect(refused).toBe(1)
    expect(reader(body, 0, body.length)).toEqual({ id: 1, title: 'x' })
  })
})

it('reads a row of more columns than a PostgreSQL has, and than a function can have parameters', () => {
  const count = 65_535
  const names = Array.from({ length: count }, (_, i) => `c${i}`)
  const fields = fieldsOf(
    names,
    names.map(() => oids.int4),
  )
  const reader = compileRowReader(
    fields,
    fields.map(({ typeOid }) => registry.codec(typeOid)),
    'array',
  )
  const body = dataRow(names.map((_, i) => int32s(i)))
  expect(reader(body, 0, body.length)).toEqual(names.map((_, i) => i))
})
