import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Connection,
  connect,
  type PreparedStatement,
  QueryTimeoutError,
  type SessionOptions,
} from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('a prepared statement on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  const open = async (options: SessionOptions = {}) => {
    connection = await connect(dsn, options)
  }

  beforeEach(async () => {
    dsn = await freshDatabase(server)
  })

  afterEach(() => connection.terminate())

  it.for<[call: string, run: (statement: PreparedStatement) => Promise<unknown>]>([
    ['fetch', (statement) => statement.fetch([60], { timeout: 50 })],
    ['fetchRow', (statement) => statement.fetchRow([60], { timeout: 50 })],
    ['fetchVal', (statement) => statement.fetchVal([60], { timeout: 50 })],
    ['query', (statement) => statement.query([60], { timeout: 50 })],
    ['execute', (statement) => statement.execute([60], { timeout: 50 })],
    ['executeMany', (statement) => statement.executeMany([[60]], { timeout: 50 })],
  ])('R8: a time-out of its %s ends it, and both go on', async ([, run]) => {
    await open()
    const statement = await connection.prepare('select pg_sleep($1)')
    await expect(run(statement)).rejects.toThrow(QueryTimeoutError)
    expect(await statement.fetchVal([0])).toBe('')
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('of what is no SQL, or of what is not there, is refused as PostgreSQL says', async () => {
    await open()
    await expect(connection.prepare('select a')).rejects.toThrow('column "a" does not exist')
    await expect(connection.prepare('chaos')).rejects.toMatchObject({ condition: 'syntax_error' })
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('tells the tag of its last run, and none where rows were left', async () => {
    await open()
    const tag = async (sql: string) => {
      const statement = await connection.prepare(sql)
      await statement.fetch()
      return statement.statusMessage
    }
    expect(await tag('create temp table made (a int)')).toBe('CREATE TABLE')
    expect(await tag('insert into made (a) values (1), (2)')).toBe('INSERT 0 2')
    expect(await tag('select a from made')).toBe('SELECT 2')
    expect(await tag('update made set a = 3 where a = 1')).toBe('UPDATE 1')
    expect(await tag('drop table made')).toBe('DROP TABLE')
    const series = await connection.prepare('select generate_series(5, 10)')
    expect(await series.fetchVal()).toBe(5)
    expect(series.statusMessage).toBe(null)
    expect(await series.fetchRow()).toEqual({ generate_series: 5 })
    expect(series.statusMessage).toBe(null)
  })

  it('that gives no rows has no attributes', async () => {
    await open()
    const statement = await connection.prepare('rollback')
    expect(statement.attributes).toEqual([])
    expect(statement.parameters).toEqual([])
  })

  it('of nothing gives nothing, and one of no columns an empty row', async () => {
    await open()
    const nothing = await connection.prepare('')
    expect(await nothing.fetch()).toEqual([])
    expect(await nothing.fetchRow()).toBe(null)
    expect(await nothing.fetchVal()).toBe(null)
    const empty = await connection.prepare('select')
    expect(await empty.fetchRow()).toEqual({})
    expect(await connection.fetchRow('select')).toEqual({})
  })

  it('takes arguments whose types nothing names, and literals', async () => {
    await open()
    expect(await (await connection.prepare("select 'test'")).fetchVal()).toBe('test')
    const sum = await connection.prepare('select $1::smallint * 2')
    expect(await sum.fetchVal([10])).toBe(20)
    const same = await connection.prepare('select 1 = $1 as test')
    expect([await same.fetchRow([1]), await same.fetchVal([10])]).toEqual([{ test: true }, false])
  })

  it('that raises an error with 100,000 characters tells them all', async () => {
    await open()
    const text = '0'.repeat(100_000)
    const statement = await connection.prepare(`do $$ begin raise exception '${text}'; end $$`)
    await expect(statement.execute()).rejects.toMatchObject({ condition: 'raise_exception', message: text })
  })

  it('R20: without a cache everything works, after time-outs as well', async () => {
    await open({ statementCacheSize: 0 })
    const simple = async () => {
      for (const n of [1, 2, 1]) expect(await connection.fetchVal(`select ${n}`)).toBe(n)
    }
    await simple()
    await expect(connection.fetchRow('select pg_sleep(60)', [], { timeout: 50 })).rejects.toThrow(
      QueryTimeoutError,
    )
    await simple()
    const timedOut = connection.transaction(async (tx) => {
      for await (const _row of tx.cursor('select pg_sleep(60)', [], { timeout: 50 }));
    })
    await expect(timedOut).rejects.toThrow(QueryTimeoutError)
    await simple()
  })
})
