import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, DataError } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

const schema = `
create schema app;
create type mood as enum ('sad', 'it''s, "ok"');
create domain small as int check (value < 100);
create domain label as text;
create type point3 as (x int, y float8, "Z z" text);
create type app.address as (street text, zip int8, since timestamptz, tags text[], at point3);
create type priced as (amount numeric, moods mood[], small small, raw bytea, ok bool, data jsonb);
create type mixed as (at tstzrange, d date, t timestamp, z timestamptz, i interval, tz timetz, addr inet, n int[], b bytea, p point3, u uuid, f float4, big int8, ok bool, j json, o oid, clock time, m mood);
create type nothing as ();
create type odd as ("__proto__" int, "constructor" text);
create domain place as point3;
create domain smalls as small[];
create table tasks (id int, title text, gone int, moods mood[]);
alter table tasks drop column gone;
`

describe.for(servers())('types that are asked for, on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    await adminQuery(dsn, schema)
  })

  beforeEach(async () => {
    connection = await connect(dsn)
    return () => connection.close()
  })

  afterAll(async () => {
    await adminQuery(server.dsn, `drop database ${new URL(dsn).pathname.slice(1)} with (force)`)
  })

  const point = { x: 1, y: -0.5, 'Z z': 'a "quoted", (odd) \\ text' }
  const address = {
    street: 'Main',
    zip: 12345,
    since: new Date('2026-01-02T03:04:05.678Z'),
    tags: ['a,b', null],
    at: point,
  }

  it.for<[type: string, value: unknown]>([
    ['mood', `it's, "ok"`],
    ['mood[]', ['sad', null, `it's, "ok"`]],
    ['mood[]', [['sad'], ['sad']]],
    ['small[]', [1, null, 99]],
    ['smalls', [1, 2]],
    ['label[]', ['', 'NULL']],
    ['point3', point],
    ['point3', { x: null, y: null, 'Z z': null }],
    ['point3', { x: null, y: null, 'Z z': '' }],
    ['point3[]', [point, null]],
    ['place', point],
    ['place[]', [point]],
    ['app.address', address],
    ['app.address[]', [address, { ...address, tags: [], at: null }]],
    [
      'priced',
      {
        amount: '12345678901234567890.0123',
        moods: ['sad'],
        small: 7,
        raw: Buffer.from([0, 92, 34]),
        ok: false,
        data: { a: ['"', '\\', null] },
      },
    ],
    ['nothing', {}],
    ['int4range', '[1,5)'],
    ['int4range[]', ['[1,5)', 'empty', null]],
    ['int4multirange', '{[1,5),[7,9)}'],
    ['app.address', { ...address, zip: null, since: Number.NEGATIVE_INFINITY }],
  ])('%s keeps %j, and the server has the same', async ([type, value]) => {
    const sql = `select $1::${type} as value, ($1::${type})::text::${type} as again, ($1::${type})::text as text`
    const row = await connection.fetchRow<{ value: unknown; again: unknown; text: string }>(sql, [value])
    expect(row!.value).toEqual(value)
    expect(row!.again).toEqual(value)
    expect(await connection.fetchVal(`select $1::text::${type}`, [row!.text])).toEqual(value)
  })

  it('a composite with an attribute that only has text is read in text, each attribute as elsewhere', async () => {
    const value = {
      at: '["2026-01-01 00:00:00+00","2026-01-02 00:00:00+00")',
      d: '0044-03-15 BC',
      t: '2026-01-02T03:04:05.6',
      z: new Date('2026-01-02T03:04:05.678Z'),
      i: 'P-1Y-2M3DT-4H-5M-6.7S',
      tz: '04:05:06+05:45',
      addr: '::1',
      n: [[1], [2]],
      b: Buffer.from('\\"\0'),
      p: point,
      u: '0f0e0d0c-0b0a-0908-0706-050403020100',
      f: 0.1,
      big: Number.MIN_SAFE_INTEGER,
      ok: true,
      j: { a: '"' },
      o: 4294967295,
      clock: '24:00:00',
      m: 'sad',
    }
    for (const zone of ['UTC', 'Asia/Kathmandu', 'America/New_York']) {
      await connection.execute(`set timezone = '${zone}'`)
      const { at, ...rest } = (await connection.fetchVal('select $1::mixed', [value])) as typeof value
      expect({ ...rest, at: value.at }).toEqual(value)
      if (zone === 'UTC') expect(at).toBe(value.at)
      expect(await connection.fetchVal('select array[$1::mixed, null]', [value])).toEqual([
        { ...rest, at },
        null,
      ])
    }
    await connection.execute("set intervalstyle = 'iso_8601'; set bytea_output = 'escape'")
    expect(await connection.fetchVal('select $1::mixed', [value])).toMatchObject({ i: value.i, b: value.b })
  })

  it('dates within text are refused, never guessed, where DateStyle is not ISO', async () => {
    await connection.execute("set datestyle = 'SQL, DMY'")
    await connection.execute('create type pg_temp.dated as (r int4range, d date)')
    const error = await connection.fetch("select ('[1,2)', '2026-02-01')::pg_temp.dated as m").catch((e) => e)
    expect(error).toBeInstanceOf(DataError)
    expect(error).toMatchObject({
      outcome: 'executed',
      message: expect.stringMatching(/^cannot decode column "m"\.d \(.*dated\): .*DateStyle = 'ISO'/),
    })
  })

  it('a row of a table is an object without its dropped columns', async () => {
    await connection.execute("insert into tasks values (1, 'x', array['sad']::mood[])")
    expect(await connection.fetchVal('select tasks from tasks')).toEqual({
      id: 1,
      title: 'x',
      moods: ['sad'],
    })
    expect(await connection.fetchVal('select array_agg(tasks) from tasks')).toEqual([
      { id: 1, title: 'x', moods: ['sad'] },
    ])
  })

  it('__proto__ and constructor are attributes like any other', async () => {
    const value = (await connection.fetchVal(`select (1, 'x')::odd`)) as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.entries(value)).toEqual([
      ['__proto__', 1],
      ['constructor', 'x'],
    ])
    expect(await connection.fetchVal('select $1::odd', [JSON.parse('{"__proto__": 2}')])).toEqual(
      JSON.parse('{"__proto__": 2, "constructor": null}'),
    )
  })

  it('a composite goes in as an object, what is missing being NULL, or as an array in order', async () => {
    const text = (value: unknown) => connection.fetchVal('select ($1::point3)::text', [value])
    expect(await text({ y: 2 })).toBe('(,2,)')
    expect(await text([1, null, ''])).toBe('(1,,"")')
    expect(await connection.fetchVal('select ($1::point3[])::text', [[[1, 2, 'a'], { x: 3 }]])).toBe(
      '{"(1,2,a)","(3,,)"}',
    )
  })

  it.for<[type: string, value: unknown, message: RegExp]>([
    [
      'point3',
      { x: 1, w: 2 },
      /^cannot encode \$1 as point3: there is no attribute "w"; there are x, y, Z z$/,
    ],
    ['point3', { x: 'abc' }, /^cannot encode \$1\.x as point3: expected an integer.*got a string of 3 char/],
    ['point3', { 'Z z': {} }, /^cannot encode \$1\["Z z"\] as point3: expected a string/],
    ['point3', { x: undefined }, /^cannot encode \$1\.x as point3: undefined is not a value/],
    ['point3', [1], /^cannot encode \$1 as point3: expected an array of 3 values/],
    [
      'point3',
      Promise.resolve({ x: 1 }),
      /^cannot encode \$1 as point3: expected an object with the attributes/,
    ],
    ['point3', new Map([['x', 1]]), /^cannot encode \$1 as point3: expected an object with the attributes x/],
    ['point3', /x/, /^cannot encode \$1 as point3: expected an object with the attributes x, y, Z z/],
    ['point3', new Date(0), /^cannot encode \$1 as point3: expected an object with the attributes x, y, Z z/],
    ['point3', Buffer.from('x'), /^cannot encode \$1 as point3: expected an object with the attributes x/],
    ['point3', '(1,2,)', /^cannot encode \$1 as point3: expected an object with the attributes x, y, Z z/],
    ['point3[]', [{}, { y: {} }], /^cannot encode \$1\[1\]\.y as point3\[\]: expected a number/],
    ['app.address', { at: { x: 0.5 } }, /^cannot encode \$1\.at\.x as app\.address: expected an integer/],
    ['app.address', { tags: ['a', ['b']] }, /^cannot encode \$1\.tags\[1\] as app\.address: /],
    [
      'mood',
      5,
      /^cannot encode \$1 as mood: expected one of its labels as a string, got an integer of 1 digit$/,
    ],
    ['mood[]', ['sad', {}], /^cannot encode \$1\[1\] as mood\[\]: expected one of its labels/],
    ['small', 1.5, /^cannot encode \$1 as small: expected an integer/],
  ])('%s refuses %j before anything is sent', async ([type, value, message]) => {
    const error = await connection.fetch(`select $1::${type}`, [value]).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DataError)
    expect(error).toMatchObject({ outcome: 'not-sent', message: expect.stringMatching(message) })
  })

  it('a value outside the safe integers is told by its attribute', async () => {
    await expect(
      connection.fetch(`select (null, 2^60, null, null, null)::app.address as a`),
    ).rejects.toMatchObject({
      outcome: 'executed',
      message: expect.stringMatching(/^cannot decode column "a"\.zip \(app\.address\): .*int8: 'bigint'/),
    })
  })

  it('a search_path full of traps changes nothing', async () => {
    await connection.execute(`
      create schema evil;
      create function evil.json_build_object(text, bigint, text, name, text, name, text, text, text, bigint, text, "char", text, json)
        returns json language sql as $$ select 'null'::json $$;
      create function evil.no(oid, oid) returns bool language sql as 'select false';
      create operator evil.= (leftarg = oid, rightarg = oid, procedure = evil.no);
      create operator evil.<> (leftarg = oid, rightarg = oid, procedure = evil.no);
      create table evil.pg_type (oid oid);
      create domain evil.oid as text;
      set search_path = evil, pg_catalog, public`)
    expect(await connection.fetchVal('select $1::public.point3', [point])).toEqual(point)
    await adminQuery(dsn, 'drop schema evil cascade')
  })

  it('a role without rights may use them', async () => {
    await connection.execute(
      'create role nobody_special; grant usage on schema app to nobody_special; set role nobody_special',
    )
    expect(await connection.fetchVal('select $1::app.address', [address])).toEqual(address)
    await connection.execute(
      'reset role; revoke usage on schema app from nobody_special; drop role nobody_special',
    )
  })

  it('they are asked for within a transaction, and one of the same name that lives only there is used', async () => {
    const rolledBack = new Error('rolled back')
    await expect(
      connection.transaction(async (tx) => {
        await tx.execute('create type fresh as (a int, b mood)')
        expect(await tx.fetchVal('select $1::fresh', [{ a: 1, b: 'sad' }])).toEqual({ a: 1, b: 'sad' })
        throw rolledBack
      }),
    ).rejects.toBe(rolledBack)
    await connection.execute('create type fresh as (c text)')
    expect(await connection.fetchVal('select $1::fresh as again', [{ c: 'x' }])).toEqual({ c: 'x' })
    await connection.execute('drop type fresh')
  })

  it('they are asked for once a connection, and PostgreSQL’s own never', async () => {
    const marker = `marker ${randomUUID()}`
    const questions = async () => {
      const log = await readFile(server.log, 'utf8')
      return log.slice(log.indexOf(marker)).split('with recursive part(oid)').length - 1
    }
    const asked: number[] = []
    await connection.execute("set log_statement = 'all'")
    await connection.execute(`select '${marker}'`)
    for (const sql of [
      'select null::int4[]',
      'select null::point3',
      'select $1::point3',
      'select null::point3[]',
    ]) {
      await connection.fetchVal(sql, sql.includes('$1') ? [null] : [])
      asked.push(await questions())
    }
    expect(asked).toEqual([0, 1, 1, 2])
  })

  it('without a statement cache they are used all the same', async () => {
    const bare = await connect(dsn, { statementCacheSize: 0 })
    for (let i = 0; i < 2; i++)
      expect(await bare.fetchVal('select $1::app.address', [address])).toEqual(address)
    await bare.close()
  })

  it('executeMany takes them', async () => {
    await connection.execute('create temp table points (p point3, m mood)')
    await connection.executeMany('insert into points values ($1, $2)', [
      [{ x: 1 }, 'sad'],
      [[2, null, null], null],
    ])
    expect(await connection.fetch('select (p).x, m from points order by 1')).toEqual([
      { x: 1, m: 'sad' },
      { x: 2, m: null },
    ])
  })

  it('prepared statements and cursors take and give them', async () => {
    const statement = await connection.prepare('select $1::point3 as p, $2::mood[] as m')
    expect(await statement.fetchRow([point, ['sad']])).toEqual({ p: point, m: ['sad'] })
    await statement.close()
    await connection.transaction(async (tx) => {
      const rows: unknown[] = []
      const cursor = tx.cursor('select $1::point3 as p from generate_series(1, 3)', [point], { prefetch: 2 })
      for await (const row of cursor) rows.push(row)
      expect(rows).toEqual([{ p: point }, { p: point }, { p: point }])
    })
  })

  it('records of them are copied into a table', async () => {
    await connection.execute('create temp table points (p point3, list mood[], s small)')
    const records = [
      [point, ['sad', null], 1],
      [null, [], null],
    ]
    await connection.copyRecordsToTable('points', { records })
    expect(await connection.fetch('select * from points', [], { rowMode: 'array' })).toEqual(records)
  })

  it('the question for them is cancelled with the call that needs them', async () => {
    await connection.execute('select null::point3')
    const blocker = await connect(dsn)
    await blocker.transaction(async (tx) => {
      await tx.execute('lock table pg_catalog.pg_namespace in access exclusive mode')
      const failed = await connection
        .fetchVal('select null::point3', [], { timeout: 500 })
        .catch((e: unknown) => e)
      expect(failed).toMatchObject({ code: 'ROCKPOOL_QUERY_TIMEOUT', outcome: 'not-sent' })
      expect(await connection.fetchVal('select 1')).toBe(1)
      const aborted = connection.fetchVal('select null::point3', [], { signal: AbortSignal.timeout(100) })
      await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' })
      expect(await connection.fetchVal('select 2')).toBe(2)
    })
    await blocker.close()
    expect(await connection.fetchVal('select $1::point3', [point])).toEqual(point)
  })

  it('a question that the server refuses is the call’s error', async () => {
    const closed = await freshDatabase(server)
    await adminQuery(closed, 'revoke select on pg_catalog.pg_namespace from public; create type t as (a int)')
    const address = new URL(server.roles.trust.dsn)
    address.pathname = new URL(closed).pathname
    const guest = await connect(address.href)
    await expect(guest.fetchVal('select null::t')).rejects.toMatchObject({
      sqlState: '42501',
      outcome: 'failed',
    })
    expect(await guest.fetchVal('select 1')).toBe(1)
    await guest.close()
  })

  it('several calls at once are answered in their order', async () => {
    const values = await Promise.all([
      connection.fetchVal('select 1'),
      connection.fetchVal('select $1::point3', [point]),
      connection.fetchVal('select $1::mood[]', [['sad']]),
      connection.fetchVal('select 2'),
    ])
    expect(values).toEqual([1, point, ['sad'], 2])
  })
})
