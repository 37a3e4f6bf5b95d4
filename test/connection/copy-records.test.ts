import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Session } from '../../src/connection/session.ts'
import { type Connection, connect, createPool, DataError } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

const words = fc.oneof(
  fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
  fc.constantFrom('', '\\N', '\\.', '\t', 'a\nb', '\r\n', '\\', '"', 'NULL', '{}'),
)
const day = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const moment = fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true })

/** Column types and values that come back as they went in. */
const binaryTypes: Record<string, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int2: fc.integer({ min: -32_768, max: 32_767 }),
  int4: fc.integer(),
  int8: fc.maxSafeInteger(),
  float8: fc.double(),
  text: words,
  varchar: words,
  uuid: fc.uuid(),
  numeric: fc.tuple(fc.bigInt(), fc.nat(999)).map(([a, b]) => `${a}.${String(b).padStart(3, '0')}`),
  date: day,
  timestamptz: moment,
  bytea: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  jsonb: fc.array(
    fc.oneof(
      fc.integer(),
      fc.string().filter((text) => !/[\0\\]/.test(text)),
    ),
  ),
  'text[]': fc.array(fc.option(words)),
  'int4[]': fc.array(fc.option(fc.integer())),
}
const textTypes: Record<string, fc.Arbitrary<unknown>> = {
  interval: fc.constantFrom('P1Y2M3DT4H5M6S', 'PT0S', 'P-1D'),
  'uuid[]': fc.array(fc.option(fc.uuid())),
  'timestamptz[]': fc.array(fc.option(moment)),
}

describe.for(servers())('copyRecordsToTable on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
    await connection.execute(`create table fruits (id int primary key, name text, at timestamptz default 'epoch');
      create schema other; create table other."Od""d" ("Na""me" text, n int, twice int generated always as (n * 2) stored)`)
  })

  afterAll(() => connection.terminate())

  const count = () => connection.fetchVal('select count(*)::int from fruits')

  it('arrays of values become rows, and the call gives the command tag', async () => {
    const records = [
      [1, 'apple', new Date(5)],
      [2, null, null],
    ]
    expect(await connection.copyRecordsToTable('fruits', { records })).toBe('COPY 2')
    expect(await connection.fetch('select * from fruits order by id', [], { rowMode: 'array' })).toEqual(
      records,
    )
    await connection.execute('truncate fruits')
  })

  it('any iterable is taken, columns and schema are chosen and quoted, where picks the rows', async () => {
    async function* records() {
      for (let n = 0; n < 3; n++) yield [n, `n${n}`]
    }
    const options = { records: records(), columns: ['n', 'Na"me'], schema: 'other', where: 'n <> 1' }
    expect(await connection.copyRecordsToTable('Od"d', options)).toBe('COPY 2')
    expect(
      await connection.copyRecordsToTable('fruits', {
        records: new Set([[1, 'a']]),
        columns: ['id', 'name'],
      }),
    ).toBe('COPY 1')
    expect(await connection.fetchRow('select * from fruits')).toEqual({ id: 1, name: 'a', at: new Date(0) })
    await connection.execute('truncate fruits')
  })

  it('without columns, those that are generated are left out', async () => {
    await connection.copyRecordsToTable('Od"d', { records: [['x', 21]], schema: 'other' })
    expect(await connection.fetchRow('select * from other."Od""d" where n = 21')).toEqual({
      'Na"me': 'x',
      n: 21,
      twice: 42,
    })
  })

  it.for([
    ['in binary', binaryTypes],
    ['in text, where a type is written in text only', { ...binaryTypes, ...textTypes }],
  ] as const)('random records come back as they went in: %s', async ([, types]) => {
    const columns = Object.keys(types).map((type, i) => `c${i} ${type}`)
    await connection.execute(
      `drop table if exists random; create table random (place int, ${columns.join(', ')})`,
    )
    const record = fc.tuple(...Object.values(types).map((values) => fc.option(values)))
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 20 }), async (list) => {
        const records = list.map((values, place) => [place, ...values])
        expect(await connection.copyRecordsToTable('random', { records })).toBe(`COPY ${records.length}`)
        const rows = await connection.fetch<unknown[]>('select * from random order by place', [], {
          rowMode: 'array',
        })
        await connection.execute('truncate random')
        expect(rows.map(plainZero)).toEqual(records.map(plainZero))
      }),
      { numRuns: 60 },
    )
  })

  it("the user's own types are written as they are as arguments", async () => {
    await connection.execute(`create type mood as enum ('ok', 'happy'); create domain positive as int check (value > 0);
      create type pair as (a int, b text); create table own (m mood, p positive, c pair, l mood[], r int4range)`)
    const record = ['happy', 7, { a: 1, b: 'x\ty"' }, ['ok', null], '[1,5)']
    await connection.copyRecordsToTable('own', { records: [record] })
    expect(await connection.fetch('select * from own', [], { rowMode: 'array' })).toEqual([record])
    await expect(
      connection.copyRecordsToTable('own', { records: [[-1]], columns: ['p'] }),
    ).rejects.toMatchObject({ condition: 'check_violation' })
  })

  it('a column whose type was changed since is written as it is now', async () => {
    await connection.execute('create table changing (v int4)')
    await connection.copyRecordsToTable('changing', { records: [[1]] })
    await adminQuery(dsn, 'alter table changing alter v type float4')
    await connection.copyRecordsToTable('changing', { records: [[2]] })
    expect(await connection.fetch('select * from changing')).toEqual([{ v: 1 }, { v: 2 }])
  })

  it("R6: nothing is sent for a connection that was released behind its types' answer", async () => {
    await connection.execute("create type late as enum ('a'); create table lately (v late)")
    await using pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const held = await pool.acquire()
    const learnTypes = Session.prototype.learnTypes
    const spy = vi.spyOn(Session.prototype, 'learnTypes').mockImplementation(async function (
      this: Session,
      ...args
    ) {
      await learnTypes.apply(this, args)
      void held.release()
    })
    onTestFinished(() => spy.mockRestore())
    const copied = held.copyRecordsToTable('lately', { records: [['a']] })
    await expect(copied).rejects.toThrow(
      'cannot call Connection.copyRecordsToTable(): connection has been released back to the pool',
    )
    expect(await pool.fetchVal('select count(*)::int from lately')).toBe(0)
  })

  it('a role that may only insert may copy', async () => {
    await connection.execute(`do $$ begin create role inserter; exception when duplicate_object or unique_violation then null; end $$;
      create table inbox (id int); grant insert on inbox to inserter; set role inserter`)
    expect(await connection.copyRecordsToTable('inbox', { records: [[1]], columns: ['id'] })).toBe('COPY 1')
    await connection.execute('reset role')
  })

  it('a value that does not fit names its record and column, and no row is left', async () => {
    const failure = connection.copyRecordsToTable('fruits', {
      records: [
        [1, 'a'],
        [2, 'b'],
        ['three', 'c'],
      ],
      columns: ['id', 'name'],
    })
    await expect(failure).rejects.toThrow(DataError)
    await expect(failure).rejects.toMatchObject({
      index: 2,
      outcome: 'failed',
      message: expect.stringMatching(
        /record at index 2, column "id" \(int4\): expected .* a string of 5 characters/,
      ),
    })
    const inText = connection.copyRecordsToTable('fruits', {
      records: [
        [1, 'a', 'epoch'],
        [2, undefined, null],
      ],
    })
    await expect(inText).rejects.toMatchObject({
      index: 1,
      message: expect.stringContaining('column "name" (text): undefined is not a value'),
    })
    const thrown = new Error('no JSON')
    await connection.execute('create table documents (j jsonb)')
    const hostile = {
      toJSON: () => {
        throw thrown
      },
    }
    await expect(connection.copyRecordsToTable('documents', { records: [[hostile]] })).rejects.toMatchObject({
      code: 'ROCKPOOL_DATA',
      cause: thrown,
    })
    expect(await count()).toBe(0)
  })

  it('a record of another length, what is no record and unknown columns are refused', async () => {
    const refused = (records: unknown, message: RegExp) =>
      expect(
        connection.copyRecordsToTable('fruits', { records: records as never, columns: ['id', 'name'] }),
      ).rejects.toThrow(message)
    await refused([[1, 'a'], [2]], /record at index 1 has 1 values, and there are 2 columns/)
    await refused([{ id: 1 }], /record at index 0 is not an array/)
    await refused('records', /records must be a Readable or an iterable/)
    await expect(
      connection.copyRecordsToTable('fruits', { records: [], columns: ['id', 'no"pe'] }),
    ).rejects.toMatchObject({ condition: 'undefined_column', outcome: 'failed' })
    expect(await count()).toBe(0)
  })

  it("the server's refusal of a record rejects the call, and the source is closed", async () => {
    let closed = false
    function* records() {
      try {
        for (let id = 0; ; id++) yield [id % 1000, 'x']
      } finally {
        closed = true
      }
    }
    await expect(
      connection.copyRecordsToTable('fruits', { records: records(), columns: ['id', 'name'] }),
    ).rejects.toMatchObject({ condition: 'unique_violation', constraint: 'fruits_pkey' })
    expect(closed).toBe(true)
    expect(await count()).toBe(0)
  })

  it('many records go in and out in bounded memory', async () => {
    function* records() {
      for (let i = 0; i < 200_000; i++) yield [i, `fruit number ${i}`]
    }
    expect(
      await connection.copyRecordsToTable('fruits', { records: records(), columns: ['id', 'name'] }),
    ).toBe('COPY 200000')
    let largest = 0
    const output = (chunk: Buffer) => {
      largest = Math.max(largest, chunk.length)
    }
    expect(await connection.copyFromTable('fruits', { output })).toBe('COPY 200000')
    expect(largest).toBeLessThan(300_000)
    await connection.execute('truncate fruits')
  })
})

/** JSON keeps no negative zero. */
function plainZero(record: readonly unknown[]): unknown[] {
  return record.map((value) => (Array.isArray(value) ? value.map((item) => (item === 0 ? 0 : item)) : value))
}
