import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, DataError, type TypeOptions } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('values as asyncpg tests them, on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    await adminQuery(
      dsn,
      `create extension hstore; create extension citext; create extension isn;
       create domain citext_domain as citext;
       create type citext_range as range (subtype = citext);
       create type citext_pair as (first citext, second citext_domain);
       create type flavour as enum ('sweet', 'sour', 'salty');
       create type flavoured as (n int, f flavour);
       create domain amount as numeric; create domain bigger_amount as amount;
       create table goods (span int4range, f flavour)`,
    )
  })

  beforeEach(async () => {
    connection = await connect(dsn)
  })

  afterEach(() => connection.terminate())

  afterAll(() => adminQuery(server.dsn, `drop database ${new URL(dsn).pathname.slice(1)} with (force)`))

  it.for<[type: string, text: string]>([
    ['"char"', 'a'],
    ['char(3)', 'ab '],
    ['varchar(3)', 'abc'],
    ['macaddr', '08:00:2b:01:02:03'],
    ['macaddr8', '08:00:2b:01:02:03:04:05'],
    ['cidr', '10.0.0.0/8'],
    ['cidr', '::/0'],
    ['inet', '255.255.255.255/31'],
    ['bit(3)', '101'],
    ['varbit', ''],
    ['varbit', '000000001'],
    ['point', '(1,2)'],
    ['line', '{1,2,3}'],
    ['lseg', '[(1,2),(2,2)]'],
    ['box', '(1,2),(0,0)'],
    ['path', '[(0,0),(1,1)]'],
    ['path', '((0,0),(1,1))'],
    ['polygon', '((0,0),(1,0),(1,1),(0,1))'],
    ['circle', '<(0,0),100>'],
    ['tid', '(4294967295,65535)'],
    ['xid8', '18446744073709551615'],
    ['pg_snapshot', '100:1000:100,200,300'],
    ['txid_snapshot', '100:1000:100,200,300'],
    ['pg_lsn', '16/B374D848'],
    ['jsonpath', '$."track"[*]?(@ > 130)'],
    ['tsvector', "'a' 'b':2"],
    ['tsquery', "'a' & 'b'"],
    ['xml', '<a>b</a>'],
    ['money', '$12.34'],
    ['regclass', 'pg_class'],
    ['int4range', 'empty'],
    ['int4range', '(,3)'],
    ['int4multirange', '{[1,10),[20,31)}'],
    ['hstore', '"ham"=>"spam", "nada"=>NULL'],
    ['issn', '1436-4522'],
    ['citext', 'CiText'],
    ['citext_domain', 'CiText'],
    ['citext_range', '[a,z)'],
  ])('%s keeps its text %j, alone and in an array', async ([type, text]) => {
    await connection.execute("set lc_monetary = 'C'")
    expect(
      await connection.fetchRow(`select $1::${type} as value, $2::${type}[] as list`, [text, [text, null]]),
    ).toMatchObject({ value: text, list: [text, null] })
  })

  it('every type of PostgreSQL itself reads and writes NULL, and so does its array', async () => {
    const types = await connection.fetch<{ name: string }>(
      `select format('%I.%I', nspname, typname) as name from pg_type t join pg_namespace n on n.oid = typnamespace
       where nspname = 'pg_catalog' and typtype in ('b', 'r', 'm') order by t.oid`,
    )
    expect(types.length).toBeGreaterThan(100)
    for (const { name } of types) {
      expect(await connection.fetchVal(`select $1::${name}`, [null]), name).toBe(null)
    }
  })

  it('void is an empty text', async () => {
    expect(await connection.fetchVal('select pg_sleep(0)')).toBe('')
  })

  it.for([
    '0.001000',
    '1.00000',
    '-3123000000.23111',
    '100.123456790000000000000000',
    `1${'0'.repeat(117)}.${'0'.repeat(161)}`,
    `0.${'0'.repeat(999)}1`,
    `1${'0'.repeat(1000)}`,
    'Infinity',
    '-Infinity',
    'NaN',
  ])('numeric keeps the scale of %s', async (text) => {
    expect(await connection.fetchVal('select $1::numeric', [text])).toBe(text)
    expect(await connection.fetchVal('select $1::numeric[]', [[text]])).toEqual([text])
    expect(await connection.fetchVal('select ($1::numeric)::text', [text])).toBe(text)
  })

  it('numeric has the scale of its column', async () => {
    expect(
      await connection.fetch('select n::numeric(3, 2) as v from unnest($1::numeric[]) n', [[0, 1]]),
    ).toEqual([{ v: '0.00' }, { v: '1.00' }])
  })

  it.for<[type: string, values: unknown[]]>([
    ['bytea', [1, 'aaa']],
    ['bool', [1, 'true']],
    ['int2', ['aa', 2 ** 256, 32768, -32769, 1.5]],
    ['int4', ['aa', 2 ** 31, -(2 ** 31) - 1, {}]],
    ['int8', ['aa', 2n ** 63n, -(2n ** 63n) - 1n]],
    ['oid', [2 ** 32, -1]],
    ['float4', [4.1e40, -4.1e40, 'x']],
    ['numeric', [{}]],
    ['text', [[1], {}]],
    ['timestamp', [{}, true]],
    ['timestamptz', [{}, true]],
    ['date', [{}, true]],
    ['uuid', [5]],
    ['int4[]', [1, [1, [1]], [[1], 1, [2]], [1, 't', 2], [[1], ['t'], [2]], { size: 1 }, [[1, 2], [3]]]],
  ])('%s refuses what it cannot be, before anything is sent', async ([type, values]) => {
    for (const value of values) {
      const failure = connection.fetchVal(`select $1::${type}`, [value])
      await expect(failure).rejects.toThrow(DataError)
      await expect(failure).rejects.toMatchObject({
        outcome: 'not-sent',
        message: expect.stringContaining('$1'),
      })
    }
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it.for([
    ['numeric', 'invalid_text_representation'],
    ['timestamp', 'invalid_datetime_format'],
    ['timestamptz', 'invalid_datetime_format'],
    ['date', 'invalid_datetime_format'],
    ['uuid', 'invalid_text_representation'],
  ] as const)(
    '%s leaves it to the server to read a string, and tells what it says',
    async ([type, condition]) => {
      await expect(connection.fetchVal(`select $1::${type}`, ['invalid'])).rejects.toMatchObject({
        condition,
        outcome: 'failed',
      })
      expect(await connection.fetchVal('select 1')).toBe(1)
    },
  )

  it.for<[sql: string, value: unknown]>([
    [
      "select '[1:3][-1:0]={{1,2},{4,5},{6,7}}'::int[]",
      [
        [1, 2],
        [4, 5],
        [6, 7],
      ],
    ],
    ["select '{{{{{{1}}}}}}'::int[]", [[[[[[1]]]]]]],
    ["select '{1, 2, NULL}'::int[]::anyarray", [1, 2, null]],
    ["select '{}'::int[]", []],
    ["select ('{{1,2},{3,4}}'::int[])[1:1]", [[1, 2]]],
  ])('the array of %s is %j', async ([sql, value]) => {
    expect(await connection.fetchVal(sql)).toEqual(value)
  })

  it.for([
    [[null]],
    [
      [
        [1, 2],
        [4, 5],
        [6, 7],
      ],
    ],
    [
      [
        [[1], [2]],
        [[4], [5]],
        [[null], [7]],
      ],
    ],
    [[[[[[[null]]]]]]],
  ])('the array %j comes back as it went', async ([value]) => {
    expect(await connection.fetchVal('select $1::int[]', [value])).toEqual(value)
  })

  it('an array of more than six dimensions is refused', async () => {
    const seven = [[[[[[[1]]]]]]]
    await expect(connection.fetchVal('select $1::int[]', [seven])).rejects.toMatchObject({
      outcome: expect.stringMatching(/^(not-sent|failed)$/),
    })
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('a record without a type is its text', async () => {
    expect(await connection.fetchVal("select row(null, 1234, '5678', row(42, '42'))")).toBe(
      '(,1234,5678,"(42,42)")',
    )
  })

  it('a domain of a domain is what it is made of', async () => {
    expect(await connection.fetchVal('select $1::bigger_amount', ['1.50'])).toBe('1.50')
    expect(await connection.fetchVal('select null::bigger_amount')).toBe(null)
  })

  it('types of extensions stand in arrays and composites as their text', async () => {
    const tricky = [
      ['"a', '\\""'],
      [',', '",'],
    ]
    expect(await connection.fetchVal('select $1::citext[]', [tricky])).toEqual(tricky)
    expect(await connection.fetchVal('select $1::citext[]', [['  a', null, '']])).toEqual(['  a', null, ''])
    expect(await connection.fetchVal('select $1::citext_pair', [{ first: 'A' }])).toEqual({
      first: 'A',
      second: null,
    })
  })

  it('timetz keeps its offset, and goes with its date to the same moment', async () => {
    await connection.execute("set timezone = 'America/Toronto'")
    const now = await connection.fetchRow<{ date: string; time: string }>(
      'select now()::date as date, now()::timetz as time',
    )
    expect(now!.time).toMatch(/-0[45]:00$/)
    await connection.transaction(async (tx) => {
      const own = await tx.fetchRow<{ date: string; time: string }>(
        'select now()::date as date, now()::timetz as time',
      )
      expect(await tx.fetchVal('select now() = ($1::date + $2::timetz)', [own!.date, own!.time])).toBe(true)
    })
  })

  it('an enum is its label: in a row, an array, a composite, from a function, and as an argument', async () => {
    await connection.execute("insert into goods values ('[10,20)', 'sour')")
    await connection.execute(
      "create function pg_temp.made() returns flavour language plpgsql as $$ begin return 'sweet'::flavour; end $$",
    )
    expect(await connection.fetchRow('select span, f from goods where f = $1', ['sour'])).toEqual({
      span: '[10,20)',
      f: 'sour',
    })
    expect(await connection.fetchVal('select array[$1::flavour]', ['sweet'])).toEqual(['sweet'])
    expect(await connection.fetchVal("select row(1, 'salty')::flavoured")).toEqual({ n: 1, f: 'salty' })
    expect(await connection.fetchVal('select pg_temp.made()')).toBe('sweet')
  })

  it('an array of access rights is read whatever the names of the roles are', async () => {
    const names = [`"u1'`, '{u2', ',u3', 'u4}', 'u5"', 'u6\\"', 'u7\\', 'norm1']
    await connection.execute('begin')
    for (const name of names) {
      const quoted = `"${name.replaceAll('"', '""')}"`
      await connection.execute(
        `create role ${quoted}; create table if not exists granted (); grant select on granted to ${quoted} with grant option`,
      )
    }
    const rights = await connection.fetchRow<{ own: string[]; text: string[] }>(
      "select relacl as own, relacl::text[] as text from pg_class where relname = 'granted'",
    )
    await connection.execute('rollback')
    expect(rights!.own).toEqual(rights!.text)
    expect(rights!.own.length).toBe(names.length + 1)
  })

  it.for([[null], ['null'], [22], [[2]], [{ a: null }]])(
    'the JSON %j comes back from an array of json',
    async ([value]) => {
      expect(await connection.fetchVal('select $1::json[]', [[value]])).toEqual([value])
    },
  )

  describe('of a type that the option types overrides', () => {
    const withTypes = async <T>(types: TypeOptions, work: (own: Connection) => Promise<T>): Promise<T> => {
      await using own = await connect(dsn, { types })
      return await work(own)
    }
    const pairs = {
      decode: (text: string) =>
        Object.fromEntries([...text.matchAll(/"(\w+)"=>"(\w+)"/g)].map((m) => [m[1], m[2]])),
      encode: (value: unknown) =>
        Object.entries(value as object)
          .map(([key, item]) => `${key}=>${item}`)
          .join(','),
    }

    it('by its text: alone, in an array and in a composite', async () => {
      await connection.execute('create type tagged as (n int, tags hstore)')
      await withTypes({ hstore: pairs }, async (own) => {
        const tags = { ham: 'spam', a: '1' }
        expect(await own.fetchVal('select $1::hstore', [tags])).toEqual(tags)
        expect(await own.fetchVal('select $1::hstore[]', [[tags, null]])).toEqual([tags, null])
        expect(await own.fetchVal('select $1::tagged', [{ n: 1, tags }])).toEqual({ n: 1, tags })
        expect(await own.fetchVal('select $1::hstore', [null])).toBe(null)
      })
    })

    it('by its bytes', async () => {
      const types: TypeOptions = {
        uuid: {
          decodeBinary: (bytes) => bytes.toString('base64'),
          encodeBinary: (value) => Buffer.from(String(value), 'base64'),
        },
      }
      const value = Buffer.from('14058ad901184b7eac1501bc13e2ccd1', 'hex').toString('base64')
      await withTypes(types, async (own) => {
        expect(await own.fetchVal('select $1::uuid', [value])).toBe(value)
        expect(await own.fetchVal('select $1::uuid[]', [[value, null]])).toEqual([value, null])
        expect(await own.fetchVal('select ($1::uuid)::text', [value])).toBe(
          '14058ad9-0118-4b7e-ac15-01bc13e2ccd1',
        )
      })
    })

    it('an enum, also in arrays', async () => {
      const types: TypeOptions = {
        flavour: {
          decode: (text: string) => `taste: ${text}`,
          encode: (value) => String(value).replace('taste: ', ''),
        },
      }
      await withTypes(types, async (own) => {
        expect(await own.fetchVal('select $1::flavour', ['sour'])).toBe('taste: sour')
        expect(await own.fetchVal("select array['sweet', 'sour']::flavour[]")).toEqual([
          'taste: sweet',
          'taste: sour',
        ])
        expect(await own.fetchVal('select array[$1]::flavour[]', ['taste: salty'])).toEqual(['taste: salty'])
      })
    })

    it('json as its text, also in arrays and domains', async () => {
      await connection.execute('create domain my_json as json')
      await withTypes({ json: 'text' }, async (own) => {
        for (const text of ['"null"', '22', 'null', '[2]', '{"a": null}']) {
          expect(await own.fetchVal('select $1::json', [text])).toBe(text)
          expect(await own.fetchVal('select $1::json[]', [[text, null]])).toEqual([text, null])
          expect(await own.fetchVal('select $1::my_json', [text])).toBe(text)
        }
      })
    })

    it('a composite as a whole', async () => {
      await connection.execute('create type complex as (r float8, i float8)')
      const types: TypeOptions = {
        complex: {
          decode: (text: string) => text.slice(1, -1).split(',').map(Number),
          encode: (value) => `(${(value as number[]).join(',')})`,
        },
      }
      await withTypes(types, async (own) => {
        expect(await own.fetchVal('select $1::complex', [[1, 2]])).toEqual([1, 2])
        expect(await own.fetchVal('select ($1::complex).i', [[1, 2]])).toBe(2)
      })
    })

    it.for(['smallint', 'double precision', 'character varying', 'timestamp with time zone'])(
      "by SQL's name %s is refused with the name of pg_type",
      async (name) => {
        await expect(connect(dsn, { types: { [name]: 'text' } })).rejects.toThrow(/types/)
      },
    )
  })
})
