import { describe, expect, it } from 'vitest'
import { DataError, InterfaceError } from '../../../src/errors.ts'
import {
  checkArgumentCount,
  encodeParameters,
  prepareArguments,
  TypeConfiguration,
  type TypeFunctions,
  TypeRegistry,
} from '../../../src/wire/codecs/index.ts'
import { OutBuffer } from '../../../src/wire/out-buffer.ts'
import { oids, type TypeName } from './bytes.ts'

const registry = new TypeRegistry()

function bind(types: TypeName[], args: unknown[], out = new OutBuffer(1), known = registry): Buffer {
  const codecs = known.codecs(types.map((name) => oids[name]))
  encodeParameters(out, codecs, prepareArguments(codecs, args))
  return out.take()
}

function failure(types: TypeName[], args: unknown[]): unknown {
  try {
    bind(types, args)
  } catch (error) {
    return error
  }
  return undefined
}

describe('the parameters of Bind', () => {
  it('are the format codes, the number of values and each value with its length', () => {
    const bytes = bind(['int4', 'uuid', 'bool', 'text'], [7, 'u', null, 'é'])
    expect(bytes.toString('hex')).toBe(
      [
        '0004',
        '0001',
        '0000',
        '0001',
        '0001',
        '0004',
        '00000004',
        '00000007',
        '00000001',
        '75',
        'ffffffff',
        '00000002',
        'c3a9',
      ].join(''),
    )
  })

  it("have the format of the caller's own encoder, also where the type's own depends on the value", () => {
    const own = (functions: TypeFunctions) => {
      const known = new TypeRegistry(new TypeConfiguration({ timestamptz: functions }))
      return bind(['timestamptz'], [new Date(Date.UTC(2000, 0, 1))], undefined, known).toString('hex')
    }
    expect(own({ encodeBinary: () => Buffer.from('b') })).toBe('000100010001' + '00000001' + '62')
    expect(own({ encode: () => 't' })).toBe('000100000001' + '00000001' + '74')
    expect(own({ decode: Number })).toBe('000100010001' + '00000008' + '0000000000000000')
  })

  it('of a statement without any are two zeros', () => {
    expect(bind([], []).toString('hex')).toBe('00000000')
  })

  it('null is NULL for every type', () => {
    const types = Object.keys(oids) as TypeName[]
    const bytes = bind(
      types,
      types.map(() => null),
    )
    expect(bytes.subarray(4 + 2 * types.length)).toEqual(Buffer.alloc(4 * types.length, 0xff))
  })

  it('what stood in the buffer before them stays', () => {
    const out = new OutBuffer(1)
    out.text('before')
    expect(bind(['text'], ['x'], out).subarray(0, 6).toString()).toBe('before')
  })

  it('the arguments handed in stay as they are', () => {
    const args = [{ a: 1 }, [1, 2]]
    bind(['jsonb', 'int4[]'], args)
    expect(args).toEqual([{ a: 1 }, [1, 2]])
  })
})

describe('the caller’s code', () => {
  it('runs before the first byte: a toJSON may use the same connection', () => {
    const out = new OutBuffer(1)
    const lazy = {
      toJSON() {
        out.text('<another message>')
        return 1
      },
    }
    const codecs = registry.codecs([oids.jsonb, oids['jsonb[]']])
    const ready = prepareArguments(codecs, [lazy, [lazy]])
    const begun = out.position
    encodeParameters(out, codecs, ready)
    expect(out.buffer.toString('latin1', 0, begun)).toBe('<another message><another message>')
    expect(out.buffer.toString('latin1', begun, out.position)).not.toContain('another')
  })

  it('that throws makes a DataError with the cause', () => {
    const cause = new Error('lazy')
    const toJSON = () => {
      throw cause
    }
    expect(failure(['jsonb'], [{ toJSON }])).toMatchObject({ name: 'DataError', outcome: 'not-sent', cause })
  })

  it('an object within itself is refused for json', () => {
    const ring: Record<string, unknown> = {}
    ring.self = ring
    expect(failure(['json'], [ring])).toMatchObject({ name: 'DataError', outcome: 'not-sent' })
  })
})

describe('a refused argument', () => {
  it.each([
    [['int4'], [1.5], /^cannot encode \$1 as int4: expected an integer.*got a number with a fraction$/],
    [['text', 'int4'], ['a', 'abc'], /^cannot encode \$2 as int4: .*got a string of 3 characters$/],
    [['int4[]'], [[[1], ['x']]], /^cannot encode \$1\[1\]\[0\] as int4\[\]: .*got a string of 1 character$/],
    [['bool'], [undefined], /^cannot encode \$1 as bool: undefined is not a value; use null for NULL$/],
    [['int4'], [123456789012], /got an integer of 12 digits$/],
    [['int4'], [-(10n ** 19n)], /got a negative bigint of 20 digits$/],
    [['bool'], [Buffer.alloc(3)], /got 3 bytes$/],
    [['bool'], [['x']], /got an array of 1 element$/],
    [['bool'], [{ secret: 1 }], /got an object$/],
    [['bool'], [() => 'secret'], /got a function$/],
    [['bool'], [Symbol('secret')], /got a symbol$/],
  ] as [TypeName[], unknown[], RegExp][])(
    '%j given %o is told by place, type and kind',
    (types, args, message) => {
      const error = failure(types, args)
      expect(error).toBeInstanceOf(DataError)
      expect(error).toMatchObject({ outcome: 'not-sent', message: expect.stringMatching(message) })
    },
  )

  it('is never shown', () => {
    const secret = 'hunter2hunter2'
    for (const name of Object.keys(oids) as TypeName[]) {
      for (const value of [`${secret}\0`, [`${secret}\0`], { [secret]: 1n }, [[secret], []]]) {
        const error = failure([name], [value]) as Error | undefined
        expect(`${error?.message} ${(error?.cause as Error | undefined)?.message}`).not.toContain(secret)
      }
    }
  })

  it('of 1 GiB is refused before anything is allocated for it', () => {
    const out = new OutBuffer(64)
    const codecs = registry.codecs([oids.bytea])
    const ready = prepareArguments(codecs, [new ArrayBuffer(2 ** 30)])
    expect(() => encodeParameters(out, codecs, ready)).toThrow(
      /^cannot encode \$1 as bytea: 1073741824 bytes are more/,
    )
    expect(out.buffer.length).toBe(64)
  })
})

describe('the number of arguments', () => {
  it.each([
    [['int4', 'int4'], [1], 'the statement takes 2 arguments, and 1 were given'],
    [['int4'], [], 'the statement takes 1 argument, and 0 were given'],
    [[], [1], 'the statement takes 0 arguments, and 1 were given'],
  ] as [TypeName[], unknown[], string][])('%j given %j is refused', (types, args, message) => {
    const error = failure(types, args)
    expect(error).toBeInstanceOf(InterfaceError)
    expect(error).toMatchObject({ outcome: 'not-sent', message })
  })

  it('may be 65,535 and no more', () => {
    checkArgumentCount(65_535)
    expect(() => checkArgumentCount(65_536)).toThrow(
      /65536 arguments were given, and a statement takes 65535 at most/,
    )
    expect(failure([], new Array(65_536).fill(1))).toMatchObject({
      name: 'InterfaceError',
      outcome: 'not-sent',
    })
    const many = new Array<TypeName>(65_535).fill('int4')
    expect(
      bind(
        many,
        many.map(() => 1),
      ).length,
    ).toBe(4 + 65_535 * 10)
  })
})
