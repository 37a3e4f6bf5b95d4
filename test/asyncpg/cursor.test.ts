import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, type Cursor, connect, QueryTimeoutError } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

const series = 'select generate_series(0, 20) as n'
const all = Array.from({ length: 21 }, (_, n) => ({ n }))

describe.for(servers())('a cursor on PostgreSQL $major', (server) => {
  let connection: Connection

  const collect = async <R>(cursor: AsyncIterable<R>) => {
    const rows: R[] = []
    for await (const row of cursor) rows.push(row)
    return rows
  }

  beforeEach(async () => {
    connection = await connect(await freshDatabase(server))
  })

  afterEach(() => connection.terminate())

  it('gives the same rows whatever its prefetch, of a connection and of a prepared statement', async () => {
    const statement = await connection.prepare(series)
    for (let prefetch = 1; prefetch < 25; prefetch++) {
      await connection.transaction(async (tx) => {
        expect(await collect(statement.cursor([], { prefetch }))).toEqual(all)
        expect(await collect(tx.cursor(series, [], { prefetch }))).toEqual(all)
      })
    }
  })

  it('of a statement that is closed rejects', async () => {
    const statement = await connection.prepare(series)
    await connection.transaction(async () => {
      const begun = statement.cursor()
      await statement.close()
      for (const cursor of [begun, statement.cursor()]) {
        await expect(collect(cursor)).rejects.toThrow(/statement is closed/)
      }
    })
  })

  it('outside a transaction is refused, of a prepared statement too', async () => {
    const statement = await connection.prepare(series)
    await expect(collect(statement.cursor())).rejects.toThrow(/needs a transaction/)
    await expect(statement.cursor().fetch(1)).rejects.toThrow(/needs a transaction/)
    await expect(connection.execute('declare t cursor for select 1')).rejects.toMatchObject({
      condition: 'no_active_sql_transaction',
    })
  })

  it('that was read to its end leaves its table free', async () => {
    await connection.transaction(async (tx) => {
      await tx.execute('create table read (id int); insert into read values (0), (1)')
      expect(await collect(tx.cursor('select id from read'))).toEqual([{ id: 0 }, { id: 1 }])
      await tx.execute('drop table read')
    })
  })

  it('goes on where it was, to its end and beyond', async () => {
    await connection.transaction(async (tx) => {
      const cursor = tx.cursor(series)
      for (const count of [-1, 0, 1.5])
        await expect(cursor.fetch(count)).rejects.toThrow(/whole number from 1/)
      expect(await cursor.fetch(2)).toEqual([{ n: 0 }, { n: 1 }])
      expect(await cursor.fetchRow()).toEqual({ n: 2 })
      expect(await cursor.forward(5)).toBe(5)
      expect(await cursor.fetchRow()).toEqual({ n: 8 })
      expect(await cursor.fetch(100)).toEqual(all.slice(9))
      expect(await cursor.fetchRow()).toBe(null)
      expect(await cursor.fetch(5)).toEqual([])
      expect(await cursor.forward(5)).toBe(0)
    })
  })

  it.for<[call: string, run: (cursor: Cursor) => Promise<unknown>]>([
    ['iteration', (cursor) => collect(cursor)],
    ['fetch', (cursor) => cursor.fetch(2)],
    ['fetchRow', (cursor) => cursor.fetchRow({ timeout: 0 }).then(() => cursor.fetchRow())],
    ['forward', (cursor) => cursor.forward(1, { timeout: 0 }).then(() => cursor.forward(1))],
  ])('R8: a time-out of its %s fails the transaction, and the connection goes on', async ([, run]) => {
    const sleepsAtItsSecondRow = 'select pg_sleep($1 * n) from generate_series(0, 1) as n'
    const statement = await connection.prepare(sleepsAtItsSecondRow)
    // Prepared before: a time-out while it is only prepared would leave the transaction as it is.
    await connection.fetch(sleepsAtItsSecondRow, [0])
    for (const own of [true, false]) {
      const work = connection.transaction(async (tx) => {
        const cursor = own
          ? tx.cursor(sleepsAtItsSecondRow, [60], { timeout: 50 })
          : statement.cursor([60], { timeout: 50 })
        await expect(run(cursor)).rejects.toThrow(QueryTimeoutError)
        await tx.fetch('select 1')
      })
      await expect(work).rejects.toMatchObject({ condition: 'in_failed_sql_transaction' })
      expect(await connection.fetchVal('select 1')).toBe(1)
    }
  })
})
