import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect, DataError, InterfaceError, PostgresError } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('statements on PostgreSQL $major', (server) => {
  let connection: Connection

  beforeAll(async () => {
    connection = await connect(await freshDatabase(server))
    await connection.execute(
      'create table tasks (id int primary key, title text not null, done boolean default false)',
    )
  })

  afterAll(() => connection.close())

  it('fetch gives all rows as plain objects', async () => {
    const rows = await connection.fetch('select n, n::text as t from generate_series(1, $1::int) n', [3])
    expect(rows).toEqual([
      { n: 1, t: '1' },
      { n: 2, t: '2' },
      { n: 3, t: '3' },
    ])
  })

  it('fetch with rowMode array gives columns of one name apart', async () => {
    expect(await connection.fetch('select 1 as a, 2 as a', [], { rowMode: 'array' })).toEqual([[1, 2]])
    expect(await connection.fetch('select 1 as a, 2 as a')).toEqual([{ a: 2 }])
  })

  it('fetchRow gives the first row, and null where there is none', async () => {
    expect(await connection.fetchRow('select n from generate_series(1, 1000000) n')).toEqual({ n: 1 })
    expect(await connection.fetchRow('select 1 as a where false')).toBeNull()
  })

  it('fetchVal gives the first column of the first row, and null where there is none', async () => {
    expect(await connection.fetchVal('select 7, 8')).toBe(7)
    expect(await connection.fetchVal('select 7 where false')).toBeNull()
  })

  it('execute without arguments runs several statements and gives the last tag', async () => {
    expect(
      await connection.execute(
        "insert into tasks values (1, 'a'); insert into tasks values (2, 'b'), (3, 'c')",
      ),
    ).toBe('INSERT 0 2')
  })

  it('several statements in one execute are one transaction', async () => {
    await expect(connection.execute("insert into tasks values (90, 'x'); select 1/0")).rejects.toMatchObject({
      sqlState: '22012',
      condition: 'division_by_zero',
      outcome: 'failed',
    })
    expect(await connection.fetchVal('select count(*)::int from tasks where id = 90')).toBe(0)
  })

  it('execute with arguments gives the tag', async () => {
    expect(await connection.execute('update tasks set done = $1 where id <= $2', [true, 2])).toBe('UPDATE 2')
  })

  it('an empty statement is no error', async () => {
    expect(await connection.execute('')).toBe('')
    expect(await connection.fetch(' -- nothing')).toEqual([])
  })

  it('query tells fields, row count and command', async () => {
    const result = await connection.query('select id, title from tasks where id <= $1 order by id', [2])
    expect(result).toMatchObject({
      rows: [
        { id: 1, title: 'a' },
        { id: 2, title: 'b' },
      ],
      rowCount: 2,
      command: 'SELECT',
    })
    expect(result.fields.map(({ name, typeOid }) => [name, typeOid])).toEqual([
      ['id', 23],
      ['title', 25],
    ])
    expect(await connection.query('create table other ()')).toMatchObject({
      rowCount: null,
      command: 'CREATE TABLE',
    })
    expect(await connection.query("insert into tasks values (4, 'd')")).toMatchObject({
      rowCount: 1,
      command: 'INSERT',
    })
  })

  it('SQL is also taken as { text, values }', async () => {
    expect(await connection.fetchVal({ text: 'select $1::int + 1', values: [41] })).toBe(42)
    await expect(connection.fetchVal({ text: 'select $1::int', values: [1] }, [2])).rejects.toThrow(
      /its own values/,
    )
  })

  it('executeMany runs a statement for each list of arguments', async () => {
    const lists = Array.from({ length: 1000 }, (_, i) => [1000 + i, `task ${i}`])
    await connection.executeMany('insert into tasks values ($1, $2)', lists)
    expect(await connection.fetchVal('select count(*)::int from tasks where id between 1000 and 1999')).toBe(
      1000,
    )
  })

  it('executeMany is all or nothing, and its error carries the index', async () => {
    await expect(
      connection.executeMany('insert into tasks values ($1, $2)', [
        [5000, 'fits'],
        [5001, 'fits'],
        [5000, 'again'],
        [5002, 'fits'],
      ]),
    ).rejects.toMatchObject({
      condition: 'unique_violation',
      constraint: 'tasks_pkey',
      table: 'tasks',
      index: 2,
    })
    expect(await connection.fetchVal('select count(*)::int from tasks where id >= 5000')).toBe(0)
  })

  it('executeMany sends nothing where a value does not fit, and names its index and $n', async () => {
    const failure = connection.executeMany('insert into tasks values ($1, $2)', [
      [6000, 'fits'],
      ['no number', 'x'],
    ])
    await expect(failure).rejects.toThrow(DataError)
    await expect(failure).rejects.toMatchObject({
      index: 1,
      outcome: 'not-sent',
      message: expect.stringContaining('$1'),
    })
    expect(await connection.fetchVal('select count(*)::int from tasks where id = 6000')).toBe(0)
  })

  it('an SQL error carries what the server told, and the connection goes on', async () => {
    const failure = connection.fetch('select * from nowhere')
    await expect(failure).rejects.toThrow(PostgresError)
    await expect(failure).rejects.toMatchObject({
      condition: 'undefined_table',
      position: 15,
      severity: 'ERROR',
    })
    await expect(connection.execute('insert into tasks (id) values (1)')).rejects.toMatchObject({
      condition: 'not_null_violation',
      column: 'title',
    })
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('a wrong number of arguments, undefined and text with a zero character are refused before anything is sent', async () => {
    await expect(connection.fetch('select $1::int', [1, 2])).rejects.toMatchObject({ outcome: 'not-sent' })
    await expect(connection.fetch('select $1::int', [undefined])).rejects.toThrow(/\$1/)
    await expect(connection.fetch("select '\0'")).rejects.toThrow(InterfaceError)
    await expect(connection.execute("select '\0'")).rejects.toThrow(/zero character/)
    await expect(connection.fetch('select 1', 5 as never)).rejects.toThrow(/must be an array/)
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('two calls at once are answered in their order', async () => {
    const results = await Promise.all([
      connection.execute('create temp table numbers (n int)'),
      connection.execute('insert into numbers values ($1)', [1]),
      connection.fetchVal('select count(*)::int from numbers'),
      connection.execute('insert into numbers values ($1)', [2]),
      connection.fetchVal('select count(*)::int from numbers'),
      connection.execute('drop table numbers'),
    ])
    expect(results).toEqual(['CREATE TABLE', 'INSERT 0 1', 1, 'INSERT 0 1', 2, 'DROP TABLE'])
  })

  it('one failing call does not hurt those pipelined around it', async () => {
    const results = await Promise.allSettled([
      connection.fetchVal('select 1'),
      connection.fetchVal('select 1 / $1::int', [0]),
      connection.fetchVal('select 2'),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('toJSON of an argument may use the same connection', async () => {
    let inner: Promise<unknown> | undefined
    const value = {
      toJSON: () => {
        inner ??= connection.fetchVal('select 5')
        return { a: 1 }
      },
    }
    await connection.fetchVal('select $1::jsonb', [{}])
    expect(await connection.fetchVal('select $1::jsonb', [value])).toEqual({ a: 1 })
    expect(await inner).toBe(5)
  })

  it('what an argument asked for is answered, also where the next argument is refused', async () => {
    let inner: Promise<unknown> | undefined
    const value = {
      toJSON: () => {
        inner ??= connection.fetchVal('select 6')
        return 1
      },
    }
    const sql = 'select $1::jsonb'
    await connection.executeMany(sql, [[{}]])
    await connection.fetchVal('select 6')
    await expect(connection.executeMany(sql, [[value], []])).rejects.toThrow(InterfaceError)
    expect(await inner).toBe(6)
  })

  it('COPY through execute rejects, and the connection lives', async () => {
    await expect(connection.execute('copy tasks from stdin')).rejects.toThrow(InterfaceError)
    await expect(connection.execute('copy tasks to stdout')).rejects.toThrow(InterfaceError)
    await expect(connection.fetch('copy tasks from stdin')).rejects.toThrow(InterfaceError)
    await expect(connection.fetch('copy tasks to stdout')).rejects.toThrow(InterfaceError)
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('a value that cannot be read rejects as executed, names its column, and the connection lives', async () => {
    await expect(connection.fetch('select 9007199254740993::bigint as big')).rejects.toMatchObject({
      code: 'ROCKPOOL_DATA',
      outcome: 'executed',
      message: expect.stringContaining('big'),
    })
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('a large result and a large argument come through whole', async () => {
    const text = 'ü'.repeat(3_000_000)
    expect(await connection.fetchVal('select $1::text', [text])).toBe(text)
    const rows = await connection.fetch<{ n: number }>('select n from generate_series(1, 100000) n')
    expect(rows.length).toBe(100_000)
    expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(5_000_050_000)
  })

  it('R20: a repeated statement is prepared once', async () => {
    for (let i = 0; i < 5; i++) await connection.fetchVal('select $1::int * 3', [i])
    const prepared = await connection.fetch(
      "select 1 from pg_prepared_statements where statement = 'select $1::int * 3'",
    )
    expect(prepared.length).toBe(1)
  })

  it('R20: a statement whose result changed is prepared again, unseen', async () => {
    await connection.execute('create table changing (a int)')
    await connection.execute('insert into changing values (1)')
    expect(await connection.fetch('select * from changing')).toEqual([{ a: 1 }])
    await connection.execute("alter table changing add column b text default 'x'")
    expect(await connection.fetch('select * from changing')).toEqual([{ a: 1, b: 'x' }])
  })

  it('a right that is missing does not make the statements of the connection outdated', async () => {
    await connection.execute('create table guarded (n int); create role guarded_from')
    const kept = 'select 1 as kept_all_along'
    const guarded = 'select n from guarded'
    await connection.fetch(kept)
    await connection.fetch(guarded)
    await connection.execute('set role guarded_from')
    await expect(connection.fetch(guarded)).rejects.toMatchObject({ condition: 'insufficient_privilege' })
    await connection.execute('reset role; drop role guarded_from')
    const names = () =>
      connection.fetch('select name from pg_prepared_statements where statement = any($1) order by 1', [
        [kept, guarded],
      ])
    const before = await names()
    expect(before.length).toBe(2)
    await connection.fetch(kept)
    expect(await names()).toEqual(before)
  })

  it('R20: after DEALLOCATE ALL the same statement works', async () => {
    expect(await connection.fetchVal('select $1::int + 5', [1])).toBe(6)
    await connection.execute('deallocate all')
    expect(await connection.fetchVal('select $1::int + 5', [1])).toBe(6)
  })
})

describe('the statement cache', () => {
  it('closes the least recently used statement on the server once it is full', async () => {
    const connection = await connect(await freshDatabase(), { statementCacheSize: 2 })
    for (const n of [1, 2, 1, 3, 4]) await connection.fetch(`select ${n}`)
    await connection.fetch('select 4')
    const left = await connection
      .execute('select 1')
      .then(() => connection.fetch<{ statement: string }>('select statement from pg_prepared_statements', []))
    expect(left.map(({ statement }) => statement).sort()).toEqual([
      'select 4',
      'select statement from pg_prepared_statements',
    ])
    await connection.close()
  })

  it('of size 0 keeps nothing on the server', async () => {
    const connection = await connect(await freshDatabase(), { statementCacheSize: 0 })
    expect(await connection.fetchVal('select $1::int', [1])).toBe(1)
    expect(
      await connection.fetchVal("select count(*)::int from pg_prepared_statements where name <> ''"),
    ).toBe(0)
    await connection.close()
  })
})
