import { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Connection, connect, createPool, InterfaceError } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

const series = 'select n from generate_series(1, $1::int) n'

describe.for(servers())('a cursor on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
  })

  afterAll(() => connection.close())

  const openPortals = (tx: Pick<Connection, 'fetchVal'>) =>
    tx.fetchVal("select count(*)::int from pg_cursors where name like 'rockpool%'")

  it('for await gives all rows, in their order', async () => {
    for (const prefetch of [1, 2, 7, 100, 1000]) {
      const seen: number[] = []
      await connection.transaction(async (tx) => {
        for await (const row of tx.cursor<{ n: number }>(series, [100], { prefetch })) seen.push(row.n)
        expect(await openPortals(tx)).toBe(0)
      })
      expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    }
  })

  it('asks for no more rows than prefetch, 50 by default', async () => {
    await connection.execute('create sequence served')
    const counted = "select nextval('served')::int as n from generate_series(1, 1000)"
    await connection.transaction(async (tx) => {
      for await (const row of tx.cursor<{ n: number }>(counted)) {
        const served = await tx.fetchVal<number>('select last_value::int from served')
        expect(served).toBe(Math.ceil(row.n / 50) * 50)
        if (row.n === 120) break
      }
    })
  })

  it('leaving the loop early closes the portal, so that its table can be altered', async () => {
    await connection.execute('create table read as select n from generate_series(1, 200) n')
    await connection.transaction(async (tx) => {
      for await (const _ of tx.cursor('select n from read', [], { prefetch: 10 })) break
      expect(await openPortals(tx)).toBe(0)
      const failing = async () => {
        for await (const _ of tx.cursor('select n from read', [], { prefetch: 10 })) throw new Error('mine')
      }
      await expect(failing()).rejects.toThrow('mine')
      await tx.execute('alter table read add column m int')
      const whole = tx.cursor('select n from read')
      expect((await whole.fetch(1000)).length).toBe(200)
      await tx.execute('drop table read')
    })
  })

  it('fetch, fetchRow and forward go on from where the last call ended', async () => {
    await connection.transaction(async (tx) => {
      const cursor = tx.cursor(series, [20])
      expect(await cursor.fetch(2)).toEqual([{ n: 1 }, { n: 2 }])
      expect(await cursor.fetchRow()).toEqual({ n: 3 })
      expect(await cursor.forward(10)).toBe(10)
      expect(await cursor.fetchRow()).toEqual({ n: 14 })
      expect((await cursor.fetch(100)).length).toBe(6)
      expect(await cursor.fetch(1)).toEqual([])
      expect(await cursor.fetchRow()).toBeNull()
      expect(await cursor.forward(1)).toBe(0)
      expect(await openPortals(tx)).toBe(0)
    })
  })

  it('forward may come first, and tells how many rows there were', async () => {
    await connection.transaction(async (tx) => {
      const cursor = tx.cursor(series, [20])
      expect(await cursor.forward(18)).toBe(18)
      expect(await cursor.fetchRow()).toEqual({ n: 19 })
      expect(await cursor.forward(18)).toBe(1)
      expect(await cursor.fetchRow()).toBeNull()
    })
  })

  it('rows come as arrays where asked for, and without columns too', async () => {
    await connection.transaction(async (tx) => {
      const cursor = tx.cursor(series, [2], { rowMode: 'array' })
      expect(await cursor.fetch(5)).toEqual([[1], [2]])
      expect(await tx.cursor('select from generate_series(1, 3)').fetch(2)).toEqual([{}, {}])
      expect(await tx.cursor('create temp table made (n int)').fetch(2)).toEqual([])
      expect(await tx.cursor('insert into made values (1), (2) returning n').fetch(1)).toEqual([{ n: 1 }])
      expect(await tx.fetchVal('select count(*)::int from made')).toBe(2)
    })
  })

  it('two at once, and other calls between their batches, do not disturb each other', async () => {
    await connection.transaction(async (tx) => {
      const statement = await tx.prepare(series)
      const [one, other] = [statement.cursor([3]), tx.cursor(series, [30])]
      expect(
        await Promise.all([
          one.fetch(2),
          other.fetchRow(),
          tx.fetchVal('select 7'),
          one.fetch(2),
          other.fetchRow(),
        ]),
      ).toEqual([[{ n: 1 }, { n: 2 }], { n: 1 }, 7, [{ n: 3 }], { n: 2 }])
    })
  })

  it('outside a transaction it rejects, saying what to use', async () => {
    const cursor = connection.cursor(series, [5])
    await expect(cursor.fetch(1)).rejects.toThrow(InterfaceError)
    await expect(cursor.fetch(1)).rejects.toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('transaction()'),
    })
    const iterate = async () => {
      for await (const _ of connection.cursor(series, [5])) throw new Error('there is no row')
    }
    await expect(iterate()).rejects.toThrow(/needs a transaction/)
    await connection.execute('begin')
    expect(await cursor.fetch(1)).toEqual([{ n: 1 }])
    await connection.execute('commit')
    await expect(cursor.fetch(1)).rejects.toThrow(/the transaction that the cursor was in has ended/)
    await cursor.close()
  })

  it('opened in one transaction it is refused in the next, which goes on', async () => {
    const cursor = connection.cursor(series, [5])
    for (const end of ['commit', 'rollback', 'commit and chain']) {
      const cursor = connection.cursor(series, [5])
      await connection.execute('begin')
      await cursor.fetch(1)
      await connection.execute(end)
      if (!connection.isInTransaction) await connection.execute('begin')
      const refusal = {
        outcome: 'not-sent',
        message: expect.stringContaining('the transaction that the cursor was in has ended'),
      }
      await expect(cursor.fetch(1)).rejects.toMatchObject(refusal)
      await expect(cursor.forward(1)).rejects.toMatchObject(refusal)
      await cursor.close()
      expect(await cursor.fetch(1)).toEqual([])
      expect(await connection.execute('commit')).toBe('COMMIT')
    }
    await connection.execute('begin')
    expect(await Promise.all([cursor.fetch(1), cursor.fetch(1)])).toEqual([[{ n: 1 }], [{ n: 2 }]])
    await connection.execute('commit')
  })

  it('a batch that could not be used leaves no portal behind, and no later call hides its rows', async () => {
    await connection.execute(
      'create table big as select 9007199254740993::int8 as n from generate_series(1, 9)',
    )
    await connection.transaction(async (tx) => {
      const refusal = { outcome: 'not-sent', message: expect.stringContaining('begin with another cursor') }
      const first = tx.cursor('select n from big')
      await expect(first.fetch(2)).rejects.toMatchObject({ code: 'ROCKPOOL_DATA', outcome: 'executed' })
      await expect(first.fetch(2)).rejects.toMatchObject(refusal)
      await expect(first.forward(2)).rejects.toMatchObject(refusal)
      expect(await openPortals(tx)).toBe(0)
      const later = tx.cursor('select case when i > 1 then n end as n from big, generate_series(1, 3) i')
      expect(await later.forward(1)).toBe(1)
      await expect(later.fetch(20)).rejects.toMatchObject({ outcome: 'executed' })
      await expect(later.fetch(2)).rejects.toMatchObject(refusal)
      await later.close()
      await tx.execute('alter table big add column m int')
    })
    await connection.execute('drop table big')
  })

  it('a call that was not sent leaves it where it was', async () => {
    await connection.transaction(async (tx) => {
      const cursor = tx.cursor(series, [5])
      const reason = new Error('not now')
      for (const n of [1, 2]) {
        await expect(cursor.fetch(1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
        expect(await cursor.fetch(1)).toEqual([{ n }])
      }
    })
  })

  it('R6: behind the release it does not write to the session, which is another owner’s', async () => {
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const lent = await pool.acquire()
    await lent.execute('begin')
    const [idle, looping] = [lent.cursor(series, [5]), lent.cursor(series, [5], { prefetch: 1 })]
    await idle.fetch(1)
    const loop = looping[Symbol.asyncIterator]()
    await loop.next()
    const forward = lent.cursor(series, [5]).forward(1)
    await lent.release()
    await expect(forward).rejects.toThrow(InterfaceError)
    const written = vi.spyOn(Socket.prototype, 'write')
    await pool.transaction(async (tx) => {
      await tx.fetchVal('select 1')
      written.mockClear()
      await idle.close()
      await loop.return(undefined)
      await new Promise((resolve) => setImmediate(resolve))
      expect(written).not.toHaveBeenCalled()
      expect(await tx.fetchVal('select 2')).toBe(2)
    })
    written.mockRestore()
    await pool.close()
  })

  it('R21: after the end of its transaction every call rejects, and closing it is harmless', async () => {
    const cursor = await connection.transaction(async (tx) => {
      const opened = tx.cursor(series, [5])
      await opened.fetchRow()
      return opened
    })
    await expect(cursor.fetch(1)).rejects.toThrow('cannot call Cursor.fetch(): its transaction has ended')
    await expect(cursor.fetchRow()).rejects.toThrow(/Cursor.fetchRow\(\)/)
    await expect(cursor.forward(1)).rejects.toThrow(/Cursor.forward\(\)/)
    await cursor.close()
  })

  it('what is wrong with its arguments, its first call tells', async () => {
    await connection.transaction(async (tx) => {
      await expect(tx.cursor(series, ['x']).fetch(1)).rejects.toMatchObject({
        code: 'ROCKPOOL_DATA',
        outcome: 'not-sent',
      })
      await expect(tx.cursor(5 as never).fetch(1)).rejects.toThrow(InterfaceError)
      await expect(tx.cursor(series, [1], { rowMode: 'map' as never }).fetch(1)).rejects.toThrow(/rowMode/)
      const cursor = tx.cursor(series, [1])
      for (const count of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
        await expect(cursor.fetch(count)).rejects.toThrow(/whole number/)
        await expect(cursor.forward(count)).rejects.toThrow(/whole number/)
        const iterate = async () => {
          for await (const _ of tx.cursor(series, [1], { prefetch: count }))
            throw new Error('there is no row')
        }
        await expect(iterate()).rejects.toThrow(/prefetch/)
      }
      expect(await cursor.fetch(1)).toEqual([{ n: 1 }])
    })
  })

  it('in a failed transaction its calls reject as PostgreSQL says', async () => {
    const failing = connection.transaction(async (tx) => {
      const cursor = tx.cursor('select 1 / (3 - n) as q from generate_series(1, 9) n')
      await cursor.fetch(2)
      await expect(cursor.fetch(2)).rejects.toMatchObject({ sqlState: '22012', outcome: 'failed' })
      await expect(cursor.fetch(2)).rejects.toMatchObject({ sqlState: '25P02' })
      await expect(tx.cursor(series, [1]).fetch(2)).rejects.toMatchObject({ sqlState: '25P02' })
      await cursor.close()
    })
    await expect(failing).rejects.toThrow(/rolled back/)
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('R8: a time-out counts for each batch by itself', async () => {
    await connection.transaction(async (tx) => {
      const slow = 'select n, pg_sleep(0.1) from generate_series(1, 12) n'
      const seen: unknown[] = []
      for await (const row of tx.cursor(slow, [], { prefetch: 2, timeout: '1s' })) seen.push(row)
      expect(seen.length).toBe(12)
    })
    await connection.fetch('select pg_sleep($1)', [0])
    const late = connection.transaction(async (tx) => {
      await tx.cursor('select pg_sleep($1)', [60], { timeout: 50 }).fetchRow()
    })
    await expect(late).rejects.toMatchObject({ code: 'ROCKPOOL_QUERY_TIMEOUT', outcome: 'failed' })
  })

  it('R8: an aborted signal ends the loop with its reason', async () => {
    const controller = new AbortController()
    const reason = new Error('not wanted any more')
    const seen: number[] = []
    const aborted = connection.transaction(async (tx) => {
      const cursor = tx.cursor<{ n: number }>(series, [100], { prefetch: 5, signal: controller.signal })
      for await (const { n } of cursor) {
        seen.push(n)
        if (n === 10) controller.abort(reason)
      }
    })
    await expect(aborted).rejects.toBe(reason)
    expect(seen.length).toBe(10)
    expect(await connection.fetchVal('select 1')).toBe(1)
  })
})
