import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('R20 on PostgreSQL $major', (server) => {
  let dsn: string
  let pool: Pool

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    await adminQuery(dsn, 'create table t (a int); insert into t values (1)')
    pool = await createPool(dsn, { minSize: 2, maxSize: 2 })
  })

  afterEach(() => pool.terminate())

  it('a statement that went stale on one connection is prepared again on every one of the pool', async () => {
    const sql = 'select * from t'
    const [one, two] = [await pool.acquire(), await pool.acquire()]
    const kept = 'select count(*)::int from pg_prepared_statements where statement = $1'
    for (const connection of [one, two]) await connection.fetch(sql)
    expect(await two.fetchVal(kept, [sql])).toBe(1)
    await adminQuery(dsn, 'alter table t add column b int default 2')
    expect(await one.fetch(sql)).toEqual([{ a: 1, b: 2 }])
    expect(await two.fetchVal(kept, [sql])).toBe(0)
    expect(await two.fetch(sql)).toEqual([{ a: 1, b: 2 }])
    for (const connection of [one, two]) await connection.release()
  })

  it('so is one that the server finds wrong, and right once it is prepared again', async () => {
    const sql = 'select a from t where a = $1'
    const [one, two] = [await pool.acquire(), await pool.acquire()]
    for (const connection of [one, two]) await connection.fetch(sql, [1])
    await adminQuery(dsn, 'alter table t alter a type text')
    expect(await one.fetch(sql, [null])).toEqual([])
    const kept = 'select count(*)::int from pg_prepared_statements where statement = $1'
    expect(await two.fetchVal(kept, [sql])).toBe(0)
    for (const connection of [one, two]) await connection.release()
  })

  it("an error of the user's own while a statement is planned costs the others nothing", async () => {
    await adminQuery(
      dsn,
      `create function f(int) returns int immutable language plpgsql as
        $$ begin raise exception 'mine' using errcode = '42P01'; end $$`,
    )
    const sql = 'select * from t'
    const [one, two] = [await pool.acquire(), await pool.acquire()]
    for (const connection of [one, two]) await connection.fetch(sql)
    for (let i = 0; i < 3; i++) {
      await expect(one.fetch('select f(1) from t')).rejects.toMatchObject({ sqlState: '42P01' })
    }
    const kept = 'select count(*)::int from pg_prepared_statements where statement = $1'
    expect(await two.fetchVal(kept, [sql])).toBe(1)
    for (const connection of [one, two]) await connection.release()
  })
})
