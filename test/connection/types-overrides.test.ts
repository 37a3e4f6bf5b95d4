import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect, DataError, type TypeOptions } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('the option types, on PostgreSQL $major', (server) => {
  let dsn: string

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    await adminQuery(
      dsn,
      `create schema app;
       create type mood as enum ('sad', 'happy');
       create type app.mood as enum ('grim');
       create domain small as int;
       create type spot as (at point, amount numeric, mood mood);
       create type bare as (amount numeric, on_day date)`,
    )
  })

  afterAll(async () => {
    await adminQuery(server.dsn, `drop database ${new URL(dsn).pathname.slice(1)} with (force)`)
  })

  async function using<T>(types: TypeOptions, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await connect(dsn, { types })
    try {
      return await work(connection)
    } finally {
      await connection.close()
    }
  }

  const point = {
    decode: (text: string) => text.slice(1, -1).split(',').map(Number),
    encode: (value: unknown) => `(${(value as number[]).join(',')})`,
  }

  it('a type’s text is read and written by the caller’s functions, in arrays and composites too', () =>
    using({ point, numeric: { decode: Number } }, async (connection) => {
      expect(await connection.fetchVal('select $1::point', [[1, 2]])).toEqual([1, 2])
      expect(await connection.fetchVal('select $1::point[]', [[[1, 2], null]])).toEqual([[1, 2], null])
      const spot = { at: [1, 2.5], amount: 1.5, mood: 'sad' }
      expect(await connection.fetchVal('select $1::spot', [spot])).toEqual(spot)
      expect(await connection.fetchVal('select $1::bare[]', [[{ amount: '0.5', on_day: null }]])).toEqual([
        { amount: 0.5, on_day: null },
      ])
    }))

  it('with decode alone, values go in as without it; with encode alone, they come out so', async () => {
    await using({ date: { decode: (text) => new Date(`${text}T00:00:00Z`) } }, async (connection) => {
      expect(await connection.fetchVal('select $1::date', ['2026-01-02'])).toEqual(new Date('2026-01-02'))
    })
    await using({ date: { encode: (value) => (value as Date).toISOString() } }, async (connection) => {
      expect(await connection.fetchVal('select $1::date', [new Date('2026-01-02')])).toBe('2026-01-02')
      expect(await connection.fetchVal('select $1::date[]', [[new Date('2026-01-02')]])).toEqual([
        '2026-01-02',
      ])
    })
  })

  it('a binary form is read and written by the caller’s functions', () =>
    using(
      {
        int4: {
          decodeBinary: (bytes) => bytes.toString('hex'),
          encodeBinary: (value) => Buffer.from(value as string, 'hex'),
        },
      },
      async (connection) => {
        expect(
          await connection.fetchRow('select $1::int4 as hex, ($1::int4)::text as text', ['000000ff']),
        ).toEqual({
          hex: '000000ff',
          text: '255',
        })
        expect(await connection.fetchVal('select $1::int4[]', [['7fffffff', null]])).toEqual([
          '7fffffff',
          null,
        ])
      },
    ))

  it("'text' is the server's own text both ways", () =>
    using({ jsonb: 'text', date: 'text', interval: 'text', bare: 'text' }, async (connection) => {
      const row = await connection.fetchRow(
        "select $1::jsonb as j, $2::date as d, '1 day'::interval as i, (0.5, '2026-01-02')::bare as b",
        ['{"a": 1}', '2026-01-02'],
      )
      expect(row).toEqual({ j: '{"a": 1}', d: '2026-01-02', i: '1 day', b: '(0.5,2026-01-02)' })
      expect(await connection.fetchVal('select array[$1::jsonb]', ['[1]'])).toEqual(['[1]'])
    }))

  it('a type is named by its name, with its schema, or by its OID; the more exact one wins', async () => {
    const shout = (mark: string) => ({ decode: (text: string) => text.toUpperCase() + mark })
    const sql = "select 'sad'::mood as plain, 'grim'::app.mood as app, array['sad'::mood] as list"
    const read = (types: TypeOptions) => using(types, (connection) => connection.fetchRow(sql))
    expect(await read({ mood: shout('!') })).toEqual({ plain: 'SAD!', app: 'GRIM!', list: ['SAD!'] })
    expect(await read({ mood: shout('!'), 'app.mood': shout('?') })).toEqual({
      plain: 'SAD!',
      app: 'GRIM?',
      list: ['SAD!'],
    })
    const [row] = await adminQuery<{ oid: number }>(dsn, "select 'mood'::regtype::oid")
    expect(await read({ [row!.oid]: shout('#'), 'public.mood': shout('?') })).toEqual({
      plain: 'SAD#',
      app: 'grim',
      list: ['SAD#'],
    })
    expect(await read({ 'pg_catalog.int8': 'text', mood: shout('!') })).toMatchObject({ plain: 'SAD!' })
  })

  it('int8 and timestamptz have choices of their own, in arrays and composites too', () =>
    using({ int8: 'bigint', timestamptz: 'string' }, async (connection) => {
      await connection.execute('create type pg_temp.exact as (n int8, t timestamptz, r int4range)')
      const sql =
        "select array[(2^62)::int8] as list, ((2^62)::int8, '2026-01-02 03:04:05.678901+01', '[1,2)')::pg_temp.exact as e"
      expect(await connection.fetchRow(sql)).toEqual({
        list: [2n ** 62n],
        e: { n: 2n ** 62n, t: '2026-01-02T02:04:05.678901Z', r: '[1,2)' },
      })
    }))

  it('what the caller’s functions throw is told, and the connection lives', () =>
    using(
      {
        mood: {
          decode: () => {
            throw new Error('no such mood')
          },
          encode: (value) => value as string,
        },
      },
      async (connection) => {
        const unread = await connection.fetch("select 'sad'::mood as m").catch((error: unknown) => error)
        expect(unread).toBeInstanceOf(DataError)
        expect(unread).toMatchObject({
          outcome: 'executed',
          message: expect.stringMatching(/^cannot decode column "m" \(mood\): .*decode.* threw/),
          cause: new Error('no such mood'),
        })
        const unwritten = await connection.fetch('select $1::mood', [7]).catch((error: unknown) => error)
        expect(unwritten).toMatchObject({
          outcome: 'not-sent',
          message:
            "cannot encode $1 as mood: expected a string from types' encode, got an integer of 1 digit",
        })
        expect(await connection.fetchVal('select 1')).toBe(1)
      },
    ))

  it('the caller’s functions may use the connection that they serve', () =>
    using({}, async () => {
      let inner: Promise<unknown> | undefined
      let connection!: Connection
      const types: TypeOptions = {
        mood: {
          encode: (value) => {
            inner = connection.fetchVal('select 1')
            return value as string
          },
        },
      }
      connection = await connect(dsn, { types })
      expect(await connection.fetchVal('select $1::mood', ['sad'])).toBe('sad')
      expect(await connection.fetchVal('select $1::mood', ['happy'])).toBe('happy')
      expect(await inner).toBe(1)
      await connection.close()
    }))
})
