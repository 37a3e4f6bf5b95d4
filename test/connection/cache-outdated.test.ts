import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('R20: a kept statement on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
    await connection.execute("create table t (a int, b text); insert into t values (1, 'x')")
  })

  afterEach(() => connection.close())

  /** As somebody else would change the schema. */
  const elsewhere = (sql: string) => adminQuery(dsn, sql)

  it('whose result changed is prepared again, unseen, by all calls at once', async () => {
    const read = () => connection.fetch('select * from t')
    await read()
    await elsewhere('alter table t add column c int default 3')
    const row = { a: 1, b: 'x', c: 3 }
    expect(await Promise.all([read(), read(), read()])).toEqual([[row], [row], [row]])
  })

  it('whose parameter has another type by now is prepared again, unseen', async () => {
    const find = (a: unknown) => connection.fetchVal('select b from t where a = $1', [a])
    expect(await find(1)).toBe('x')
    await elsewhere('alter table t alter column a type text')
    expect(await find('1')).toBe('x')
    const insert = (a: unknown) => connection.execute('insert into t (a) values ($1)', [a])
    expect(await insert('2')).toBe('INSERT 0 1')
    await elsewhere('alter table t alter column a type int using a::int')
    expect(await insert(3)).toBe('INSERT 0 1')
  })

  it('whose parameter has another type by now takes what fits that, inside a transaction too', async () => {
    const find = (a: unknown) => connection.fetchVal('select b from t where a = $1', [a])
    expect(await find(1)).toBe('x')
    await elsewhere('alter table t alter column a type text')
    await connection.transaction(async (tx) => {
      expect(await tx.fetchVal('select b from t where a = $1', ['one'])).toBeNull()
    })
    expect(await find('1')).toBe('x')
    await elsewhere("alter table t alter column a type bool using a = '1'")
    expect(await find(true)).toBe('x')
    await expect(find('neither')).rejects.toMatchObject({ code: 'ROCKPOOL_DATA', outcome: 'not-sent' })
    expect(await find(true)).toBe('x')
  })

  it('whose table was dropped fails as it does without a cache, and works once the table is back', async () => {
    const read = () => connection.fetch('select * from t')
    await read()
    await elsewhere('drop table t')
    await expect(read()).rejects.toMatchObject({ condition: 'undefined_table' })
    await elsewhere('create table t (n int)')
    expect(await read()).toEqual([])
  })

  it('whose type was dropped and made again is prepared again, unseen', async () => {
    await elsewhere("create type mood as enum ('good')")
    const read = () => connection.fetchVal('select $1::mood', ['good'])
    expect(await read()).toBe('good')
    await elsewhere("drop type mood; create type mood as enum ('good', 'bad')")
    expect(await read()).toBe('good')
  })

  it('is prepared again after DEALLOCATE ALL and DISCARD ALL, inside a transaction too', async () => {
    const read = () => connection.fetchVal('select $1::int', [7])
    await read()
    for (const all of ['deallocate all', 'discard all']) {
      const results = await Promise.all([connection.execute(all), read(), read()])
      expect(results).toEqual([all.toUpperCase(), 7, 7])
    }
    await connection.transaction(async (tx) => {
      await tx.execute('deallocate all')
      expect(await tx.fetchVal('select $1::int', [7])).toBe(7)
    })
    await connection.execute("do $$ begin execute 'deallocate all'; end $$")
    expect(await read()).toBe(7)
  })

  it('is prepared again after a DEALLOCATE ALL of executeMany', async () => {
    await connection.fetch('select * from t')
    await connection.executeMany('deallocate all', [[]])
    await connection.transaction(async (tx) => {
      expect(await tx.fetch('select * from t')).toEqual([{ a: 1, b: 'x' }])
    })
  })

  it('executeMany is prepared again, unseen', async () => {
    const insert = (lists: unknown[][]) => connection.executeMany('insert into t (a) values ($1)', lists)
    await insert([[2]])
    await elsewhere('alter table t alter column a type text')
    await insert([['three'], ['four']])
    expect(await connection.fetchVal('select count(*)::int from t')).toBe(4)
  })

  it('inside a transaction its error is passed on, and the next transaction works', async () => {
    const read = () => connection.transaction((tx) => tx.fetch('select * from t'))
    await read()
    await elsewhere('alter table t add column c int')
    await expect(read()).rejects.toMatchObject({ sqlState: '0A000', outcome: 'failed' })
    expect(await read()).toEqual([{ a: 1, b: 'x', c: null }])
  })

  it('is not taken for outdated by what goes wrong while it runs', async () => {
    await connection.execute(
      'create function broken() returns int language plpgsql as $$ begin return (select a from nowhere); end $$',
    )
    const prepared = () =>
      connection.fetchVal(
        "select count(*)::int from pg_prepared_statements where statement = 'select a from t'",
      )
    await connection.fetch('select a from t')
    await expect(connection.fetch('select broken()')).rejects.toMatchObject({ condition: 'undefined_table' })
    await expect(connection.fetch('select broken()')).rejects.toMatchObject({ condition: 'undefined_table' })
    expect(await prepared()).toBe(1)
  })
})
