import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, createPool, DataError, PostgresError } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('types that change while they are known, on PostgreSQL $major:', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
  })

  beforeEach(async () => {
    connection = await connect(dsn)
    await connection.execute('create type changing as (a int, b text)')
    return async () => {
      await connection.close()
      await adminQuery(dsn, 'drop type if exists changing cascade')
    }
  })

  afterAll(async () => {
    await adminQuery(server.dsn, `drop database ${new URL(dsn).pathname.slice(1)} with (force)`)
  })

  it('an added attribute: the value read meanwhile rejects, the next use is right', async () => {
    await connection.execute('create temp table kept (c changing)')
    await connection.execute("insert into kept values ((1, 'x'))")
    const fetch = () => connection.fetchVal('select c from kept')
    expect(await fetch()).toEqual({ a: 1, b: 'x' })
    await adminQuery(dsn, 'alter type changing add attribute c bool cascade')
    await expect(fetch()).rejects.toMatchObject({
      code: 'ROCKPOOL_DATA',
      outcome: 'executed',
      message: expect.stringContaining('the type changing was changed'),
    })
    expect(await fetch()).toEqual({ a: 1, b: 'x', c: null })
  })

  it('an added attribute: a value is written with it, and without it, at once', async () => {
    const write = (value: unknown) => connection.fetchVal('select ($1::changing)::text', [value])
    expect(await write({ a: 1 })).toBe('(1,)')
    await adminQuery(dsn, 'alter type changing add attribute c bool')
    expect(await write({ a: 1, c: true })).toBe('(1,,t)')
    await adminQuery(dsn, 'alter type changing add attribute d bool')
    expect(await write({ a: 1 })).toBe('(1,,,)')
    await expect(write({ a: 1, e: true })).rejects.toThrow('there is no attribute "e"; there are a, b, c, d')
  })

  it('a renamed attribute goes in by its new name', async () => {
    const write = (value: unknown) => connection.fetchVal('select ($1::changing)::text', [value])
    expect(await write({ b: 'x' })).toBe('(,x)')
    await adminQuery(dsn, 'alter type changing rename attribute b to c')
    expect(await write({ c: 'y' })).toBe('(,y)')
  })

  it('an attribute of another type goes in as that, at once', async () => {
    const write = (value: unknown) => connection.fetchVal('select ($1::changing).a::text', [value])
    expect(await write({ a: 1 })).toBe('1')
    await adminQuery(dsn, 'alter type changing alter attribute a type text')
    expect(await write({ a: 'k' })).toBe('k')
    await connection.transaction(async (tx) => {
      await adminQuery(dsn, 'alter type changing alter attribute a type bool using a::bool').catch(() => {})
      expect(await tx.fetchVal('select ($1::changing).a', [['l', null]])).toBe('l')
    })
  })

  it('records of it are copied as it is now, once the server has refused those of before', async () => {
    await adminQuery(dsn, 'create table changed (c changing)')
    const copy = (value: unknown) => connection.copyRecordsToTable('changed', { records: [[value]] })
    await copy({ a: 1 })
    for (const change of ['add attribute c bool', 'drop attribute c']) {
      await adminQuery(dsn, `alter type changing ${change} cascade`)
      await expect(copy({ a: 2 })).rejects.toMatchObject({ sqlState: '22P02' })
      await copy({ a: 3 })
    }
    await adminQuery(dsn, 'drop table changed')
  })

  it('an attribute of another type is noticed', async () => {
    await connection.execute('create temp table kept (c changing)')
    await connection.execute("insert into kept values ((1, 'x'))")
    const fetch = () => connection.fetchVal('select c from kept')
    expect(await fetch()).toEqual({ a: 1, b: 'x' })
    await connection.execute('drop table kept')
    await adminQuery(dsn, 'alter type changing alter attribute a type text')
    await connection.execute("create temp table kept (c changing); insert into kept values (('1', 'x'))")
    await fetch().catch(() => {})
    expect(await fetch()).toEqual({ a: '1', b: 'x' })
  })

  it('dropped and made again with the same attributes: unseen', async () => {
    const write = (value: unknown) => connection.fetchVal('select $1::changing', [value])
    expect(await write({ a: 1 })).toEqual({ a: 1, b: null })
    await adminQuery(dsn, 'drop type changing; create type changing as (a int, b text)')
    expect(await write({ a: 2 })).toEqual({ a: 2, b: null })
  })

  it('what one connection of a pool finds out, all of them know', async () => {
    await using pool = await createPool(dsn, { minSize: 2, maxSize: 2 })
    await connection.execute('create table kept (c changing)')
    await connection.execute("insert into kept values ((1, 'x'))")
    const both = (work: (conn: Connection) => Promise<unknown>) =>
      pool.use((one) => pool.use((two) => Promise.allSettled([work(one), work(two)])))
    const fetch = (conn: Connection) => conn.fetchVal('select c from kept')
    await both(fetch)
    await adminQuery(dsn, 'alter type changing add attribute c bool cascade')
    await expect(pool.use(fetch)).rejects.toThrow(DataError)
    const now = { status: 'fulfilled', value: { a: 1, b: 'x', c: null } }
    expect(await both(fetch)).toEqual([now, now])
    await connection.execute('drop table kept')
  })

  it('dropped and made again under a new OID', async () => {
    const write = (value: unknown) => connection.fetchVal('select $1::changing', [value])
    expect(await write({ a: 1 })).toEqual({ a: 1, b: null })
    await adminQuery(dsn, 'drop type changing; create type changing as (z text)')
    await write({ z: 'x' }).catch(() => {})
    expect(await write({ z: 'x' })).toEqual({ z: 'x' })
  })

  it('a label added to an enum goes both ways at once', async () => {
    await connection.execute("create type growing as enum ('a')")
    expect(await connection.fetchVal('select $1::growing[]', [['a']])).toEqual(['a'])
    await expect(connection.fetchVal('select $1::growing[]', [['b']])).rejects.toThrow(PostgresError)
    await adminQuery(dsn, "alter type growing add value 'b'")
    expect(await connection.fetchVal('select $1::growing[]', [['b']])).toEqual(['b'])
    await connection.execute('drop type growing')
  })
})
