import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, createPool, DataError } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'

const stop = new Error('stop')

describe.for(servers())('R20: DDL on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  const ddl = (sql: string) => adminQuery(dsn, sql)
  const row = (from: Pick<Connection, 'fetchRow'> = connection) => from.fetchRow('select * from tab')

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
  })

  afterEach(() => connection.terminate())

  describe('that changes the columns of a table', () => {
    beforeEach(() => ddl('create table tab (a int, b int); insert into tab values (1, 2)'))

    const change = 'alter table tab alter column b set data type text'

    it('is not seen outside a transaction', async () => {
      expect(await row()).toEqual({ a: 1, b: 2 })
      await ddl(change)
      expect(await row()).toEqual({ a: 1, b: '2' })
    })

    it('fails the statement within a transaction once; the next one fits', async () => {
      expect(await row()).toEqual({ a: 1, b: 2 })
      await ddl(change)
      await expect(connection.transaction((tx) => row(tx))).rejects.toMatchObject({
        condition: 'feature_not_supported',
        message: 'cached plan must not change result type',
      })
      expect(await connection.transaction((tx) => row(tx))).toEqual({ a: 1, b: '2' })
    })

    it('is told to the whole pool by whoever meets it first', async () => {
      const pool = await createPool(dsn, { minSize: 2, maxSize: 2 })
      const [first, second] = [await pool.acquire(), await pool.acquire()]
      for (const one of [first, second]) expect(await row(one)).toEqual({ a: 1, b: 2 })
      await ddl(change)
      expect(await row(first)).toEqual({ a: 1, b: '2' })
      expect(await second.transaction((tx) => row(tx))).toEqual({ a: 1, b: '2' })
      await first.release()
      await second.release()
      await pool.close()
    })
  })

  describe('that changes a composite type', () => {
    const both = { a: 1, b: { x: 2, y: 3 } }
    const three = { a: 1, b: { x: 2, y: 3, c: null } }

    beforeEach(() =>
      ddl(
        'create type typ as (x int, y int); create table tab (a int, b typ); insert into tab values (1, (2, 3))',
      ),
    )

    it('is met within the transaction that did it: one value rejects, the next is right', async () => {
      expect(await row()).toEqual(both)
      await connection.transaction(async (tx) => {
        await tx.execute('alter type typ add attribute c text')
        await expect(row(tx)).rejects.toThrow(DataError)
        expect(await row(tx)).toEqual(three)
      })
      expect(await row()).toEqual(three)
    })

    it('and is rolled back, is met again', async () => {
      expect(await row()).toEqual(both)
      const work = connection.transaction(async (tx) => {
        await tx.execute('alter type typ add attribute c text')
        await expect(row(tx)).rejects.toThrow(DataError)
        expect(await row(tx)).toEqual(three)
        throw stop
      })
      await expect(work).rejects.toBe(stop)
      await row().catch((error) => expect(error).toBeInstanceOf(DataError))
      expect(await row()).toEqual(both)
    })

    it('leaves a prepared statement of use', async () => {
      const statement = await connection.prepare('select * from tab')
      expect(await statement.fetchRow()).toEqual(both)
      await ddl('alter type typ add attribute c text')
      await expect(statement.fetchRow()).rejects.toMatchObject({ code: 'ROCKPOOL_DATA', outcome: 'executed' })
      expect(await statement.fetchRow()).toEqual(three)
    })

    it.for([
      ['drops an attribute', 'alter type typ drop attribute x', { a: 1, b: { y: 3 } }],
      [
        'gives an attribute another type',
        'alter type typ drop attribute y; alter type typ add attribute y bigint',
        { a: 1, b: { x: 2, y: null } },
      ],
    ] as const)('and %s: one value rejects at most, the next is right', async ([, change, after]) => {
      expect(await row()).toEqual(both)
      await ddl(change)
      await row().catch((error) =>
        expect(error).toMatchObject({ code: 'ROCKPOOL_DATA', outcome: 'executed' }),
      )
      expect(await row()).toEqual(after)
    })

    it('is met by each connection for itself, and never by those of another database', async () => {
      const otherDsn = await freshDatabase(server)
      await adminQuery(
        otherDsn,
        'create type typ as (x int, y int); create table tab (a int, b typ); insert into tab values (1, (2, 3))',
      )
      const [pool, other] = [
        await createPool(dsn, { minSize: 2, maxSize: 2 }),
        await createPool(otherDsn, { minSize: 1, maxSize: 1 }),
      ]
      const [first, second] = [await pool.acquire(), await pool.acquire()]
      for (const one of [first, second, other]) expect(await row(one)).toEqual(both)
      await ddl('alter type typ add attribute c text')
      await expect(row(first)).rejects.toThrow(DataError)
      expect(await row(first)).toEqual(three)
      await row(second).catch((error) => expect(error).toBeInstanceOf(DataError))
      expect(await second.transaction((tx) => row(tx))).toEqual(three)
      expect(await row(other)).toEqual(both)
      await Promise.all([pool.terminate(), other.terminate()])
    })
  })
})
