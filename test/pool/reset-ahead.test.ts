import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { FaultProxy, ProtocolMessage } from '../../src/testing/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())('a reset that goes ahead of the next statement on PostgreSQL $major', (server) => {
  let dsn: string

  const open = async (options: PoolOptions = {}): Promise<Pool> => {
    dsn = await freshDatabase(server)
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1, ...options })
    onTestFinished(() => pool.terminate())
    return pool
  }

  /** A pool whose first reset on its first connection fails on the server. */
  const openFailing = async (options: PoolOptions = {}): Promise<{ pool: Pool; proxy: FaultProxy }> => {
    const direct = new URL(await freshDatabase(server))
    const proxy = await FaultProxy.start({ host: direct.hostname, port: Number(direct.port) })
    onTestFinished(() => proxy.close())
    let first: unknown
    proxy.toServer.rewriteMessages((message, connection) => {
      first ??= connection
      const at = message.body.indexOf('DISCARD TEMP')
      if (connection !== first || message.type !== 'P' || at < 0) return message
      const body = Buffer.from(message.body)
      body.write('DISCARD TOMB', at)
      return new ProtocolMessage('P', body)
    })
    dsn = proxy.through(`${direct.href}?sslmode=disable`)
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1, ...options })
    onTestFinished(() => pool.terminate())
    return { pool, proxy }
  }

  const leave = (pool: Pool, ...sql: string[]): Promise<number> =>
    pool.use(async (connection) => {
      for (const text of sql) await connection.execute(text)
      return connection.processId
    })

  describe('R7: its next statement', () => {
    it.for<[what: string, sql: string]>([
      ['VACUUM', 'vacuum'],
      ['BEGIN with an isolation level', 'begin isolation level serializable'],
      ['SET TRANSACTION', 'set transaction isolation level repeatable read'],
      ['a query', 'select 1'],
      ['an INSERT', 'insert into kept values (1)'],
      ['a CALL that commits', 'call commits()'],
      ['a DO that commits', 'do $$ begin insert into kept values (1); commit; end $$'],
    ])('may be %s', async ([, sql]) => {
      const pool = await open()
      await adminQuery(
        dsn,
        `create table kept (n int); create procedure commits() language plpgsql as $$ begin
         insert into kept values (1); commit; end $$`,
      )
      const first = await leave(pool, "set work_mem = '77MB'")
      const second = await pool.use(async (connection) => {
        await connection.fetch(sql)
        expect(await connection.fetchVal("select current_setting('work_mem')")).toBe('4MB')
        return connection.processId
      })
      expect(second).toBe(first)
    })

    it('may be a COPY, LISTEN, a cursor, a prepared statement or a transaction', async () => {
      const pool = await open()
      await adminQuery(dsn, 'create table kept (n int)')
      const heard: string[] = []
      const rows: unknown[] = []
      for (const use of [
        () => pool.use((c) => c.copyToTable('kept', { source: ['1\n', '2\n'] })),
        () => pool.use((c) => c.copyRecordsToTable('kept', { records: [[3]] })),
        () => pool.use((c) => c.executeMany('insert into kept values ($1)', [[4], [5]])),
        () =>
          pool.use(async (c) => {
            await c.addListener('news', (payload) => heard.push(payload))
            await c.execute("notify news, 'told'")
            await until('it is heard', () => heard.length === 1)
          }),
        () =>
          pool.transaction(async (tx) => {
            for await (const row of tx.cursor('select n from kept order by n')) rows.push(row)
          }),
        () => pool.use(async (c) => rows.push(await (await c.prepare('select 6 as n')).fetchRow())),
      ]) {
        await leave(pool, "set work_mem = '77MB'")
        await use()
      }
      expect(rows).toEqual([1, 2, 3, 4, 5, 6].map((n) => ({ n })))
      expect(pool.stats().totals.opened).toBe(1)
    })

    it('cannot undo it by failing', async () => {
      const pool = await open()
      await leave(pool, "set work_mem = '77MB'", 'create temp table secret (n int)')
      await pool.use(async (connection) => {
        await expect(connection.fetch('select 1 / 0')).rejects.toMatchObject({ sqlState: '22012' })
        expect(
          await connection.fetchRow(
            "select current_setting('work_mem') as memory, to_regclass('pg_temp.secret')::text as secret",
          ),
        ).toEqual({ memory: '4MB', secret: null })
      })
      expect(pool.stats().totals.opened).toBe(1)
    })

    it('does not come before it where it is called in the turn of the release', async () => {
      const pool = await open()
      const first = await pool.acquire()
      await first.execute("set work_mem = '77MB'")
      const next = pool.fetchVal("select current_setting('work_mem')")
      await first.release()
      expect(await next).toBe('4MB')
    })
  })

  it("R7: the last owner's settings are not seen before it is answered, either", async () => {
    const pool = await open()
    await leave(pool, "set application_name = 'secret'; set timezone = 'Asia/Tokyo'")
    const next = await pool.acquire()
    expect(next.settings.application_name).not.toBe('secret')
    expect(next.settings.TimeZone).not.toBe('Asia/Tokyo')
    await next.execute("set application_name = 'mine'")
    expect(next.settings.application_name).toBe('mine')
    await next.release()
  })

  describe('R7: statements that SQL prepared', () => {
    it('behind a function are gone, and the connection stays', async () => {
      const pool = await open()
      await adminQuery(
        dsn,
        `create function hides() returns void language plpgsql as
         $$ begin execute 'prepare secret as select 1'; execute 'prepare "Se""cret" as select 2'; end $$`,
      )
      const first = await leave(pool, "set work_mem = '77MB'; select hides()")
      expect(
        await pool.use(async (connection) => [
          await connection.fetchVal('select count(*)::int from pg_prepared_statements where from_sql'),
          await connection.fetchVal("select current_setting('work_mem')"),
          connection.processId,
        ]),
      ).toEqual([0, '4MB', first])
    })

    it("are not run in place of the reset's own", async () => {
      const pool = await open()
      await leave(pool, 'select 1')
      await leave(
        pool,
        `do $$ declare own name; begin
           for own in select name from pg_prepared_statements where statement = 'RESET ALL' loop
             execute format('deallocate %I', own);
             execute format('prepare %I as select 1', own);
           end loop; end $$`,
        "set work_mem = '77MB'",
      )
      expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('4MB')
    })

    it.for(['deallocate all', 'discard all'])('may go by %s', async (sql) => {
      const pool = await open()
      const first = await leave(pool, 'select 1')
      await leave(pool, sql)
      expect(await leave(pool, "set work_mem = '77MB'")).toBe(first)
      expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('4MB')
    })

    it("may go, with the reset's own, behind a function: nobody sees it, and the connection stays", async () => {
      const pool = await open()
      await adminQuery(
        dsn,
        `create function clears() returns void language plpgsql as $$ begin execute 'deallocate all'; end $$`,
      )
      const first = await leave(pool, 'select 1')
      for (let round = 0; round < 3; round++) {
        expect(await leave(pool, "select clears(); set work_mem = '77MB'")).toBe(first)
        expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('4MB')
      }
      expect(pool.stats().totals.closed.resetFailed).toBe(0)
    })
  })

  describe('R7: that fails keeps the next statement from running there, and it goes on unseen:', () => {
    const calls: readonly [string, (pool: Pool) => Promise<unknown>, unknown][] = [
      ['a query of a connection', (pool) => pool.use((c) => c.fetchVal('select 7')), 7],
      ['one-shots', (pool) => Promise.all([1, 2, 3].map(() => pool.fetchVal('select 7'))), [7, 7, 7]],
      [
        'several at once, in their order',
        (pool) =>
          pool.use((c) =>
            Promise.all([
              c.execute("set work_mem = '5MB'"),
              c.fetchVal("select current_setting('work_mem')"),
              c.execute("set work_mem = '6MB'"),
              c.fetchVal("select current_setting('work_mem')"),
            ]),
          ),
        ['SET', '5MB', 'SET', '6MB'],
      ],
      ['a simple query', (pool) => pool.use((c) => c.execute('select 7')), 'SELECT 1'],
      ['a transaction', (pool) => pool.transaction((tx) => tx.fetchVal('select 7')), 7],
      ['a prepared statement', (pool) => pool.use(async (c) => (await c.prepare('select 7')).fetchVal()), 7],
      [
        'a COPY from a stream',
        (pool) =>
          pool.use(async (c) => {
            const source = Readable.from(['1\n', '2\n'])
            return c.copyToTable('kept', { source })
          }),
        'COPY 2',
      ],
      [
        'a COPY to a function',
        (pool) => pool.use((c) => c.copyFromQuery('select 7', [], { output: () => {} })),
        'COPY 1',
      ],
      [
        'a COPY of records',
        (pool) => pool.use((c) => c.copyRecordsToTable('kept', { records: [[1]] })),
        'COPY 1',
      ],
      [
        'a listener',
        (pool) =>
          pool.use(async (c) => {
            const heard: string[] = []
            await c.addListener('news', (payload) => heard.push(payload))
            await c.execute("notify news, 'told'")
            await until('it is heard', () => heard.length === 1)
            return heard
          }),
        ['told'],
      ],
    ]

    it.for(calls)('%s', async ([, call, result]) => {
      const { pool } = await openFailing()
      await adminQuery(dsn, 'create table kept (n int)')
      const closed: unknown[] = []
      pool.on('close', ({ reason }) => void closed.push(reason))
      const held = await pool.acquire()
      await held.execute("set work_mem = '77MB'")
      const called = call(pool)
      await held.release()
      expect(await called).toEqual(result)
      expect(closed).toEqual(['resetFailed'])
      expect(pool.stats().totals.opened).toBe(2)
    })

    it('one that was released meanwhile gives the new connection back', async () => {
      const { pool } = await openFailing()
      const held = await pool.acquire()
      await held.execute('select 1')
      const waiting = pool.acquire()
      await held.release()
      const next = await waiting
      const asked = next.fetchVal('select 7')
      asked.catch(() => {})
      await until('the reset has failed', () => pool.stats().totals.closed.resetFailed === 1)
      await next.release()
      await asked.catch(() => {})
      expect(await pool.fetchVal('select 8')).toBe(8)
      await until('all are back', () => pool.idleSize === 1 && pool.stats().leased === 0)
    })
  })

  it('R14: a connection that ends before its reset is answered is replaced unseen', async () => {
    const { pool, proxy } = await openFailing()
    const first = await pool.acquire()
    await first.execute('select 1')
    proxy.toServer.hold()
    await first.release()
    await new Promise((resolve) => setImmediate(resolve))
    const next = await pool.acquire()
    const asked = next.fetchVal('select 7')
    await adminQuery(
      dsn.replace(/@[^/]*/, `@${server.host}:${server.port}`),
      'select pg_terminate_backend($1)',
      [first.processId],
    ).catch(() => {})
    proxy.connections[0]?.reset()
    proxy.toServer.resume()
    expect(await asked).toBe(7)
    await next.release()
  })

  it('R11: that does not end within hookTimeout: a statement that was not sent runs elsewhere unseen', async () => {
    const { pool, proxy } = await openFailing({ hookTimeout: '300ms' })
    const first = await pool.acquire()
    await first.execute('select 1')
    proxy.toServer.hold()
    await first.release()
    await new Promise((resolve) => setImmediate(resolve))
    const next = await pool.acquire()
    const asked = next.fetchVal('select 7')
    await until('it is given up', () => pool.stats().totals.closed.resetFailed === 1)
    proxy.toServer.resume()
    expect(await asked).toBe(7)
    await next.release()
  })

  describe('R8: a statement that is given up while the reset is in hand', () => {
    it.for(['a signal', 'a time-out'])(
      'by %s rejects, did not run, and the connection is as new',
      async (by) => {
        const { proxy, pool } = await openFailing({ minSize: 1 })
        await adminQuery(dsn, 'create table kept (n int)')
        // The first connection's resets fail: go on with the second.
        await pool.use((c) => c.close())
        const held = await pool.acquire()
        await held.execute("set work_mem = '77MB'")
        const waiting = pool.acquire()
        await held.release()
        const next = await waiting
        const controller = new AbortController()
        proxy.toServer.hold()
        const asked = next.fetch(
          'insert into kept values (1)',
          [],
          by === 'a signal' ? { signal: controller.signal } : { timeout: '20ms' },
        )
        const failed = expect(asked).rejects.toMatchObject(
          by === 'a signal' ? { message: 'left' } : { code: 'ROCKPOOL_QUERY_TIMEOUT' },
        )
        setTimeout(() => controller.abort(new Error('left')), 20)
        await until('the cancel is sent', () => proxy.connections.length > 1)
        proxy.toServer.resume()
        await failed
        expect(next.isInTransaction).toBe(false)
        expect(await next.transaction((tx) => tx.fetchVal("select current_setting('work_mem')"))).toBe('4MB')
        await next.release()
      },
    )
  })

  it('R6: released again before its first statement was answered', async () => {
    const pool = await open()
    await adminQuery(dsn, 'create table kept (n int)')
    for (let round = 0; round < 20; round++) {
      await leave(pool, "set work_mem = '77MB'")
      const next = await pool.acquire()
      const asked = next.fetch('insert into kept select 1 from pg_sleep(0.5)')
      const rejected = expect(asked).rejects.toMatchObject({ code: 'ROCKPOOL_INTERFACE' })
      await next.release()
      await rejected
      expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('4MB')
    }
    expect(pool.stats().totals.opened).toBe(1)
  })

  it("R7: what the server says meanwhile is none of the next owner's", async () => {
    const pool = await open()
    await leave(pool, 'set client_min_messages = debug5')
    const next = await pool.acquire()
    const told: string[] = []
    const tell = ({ message }: { message: string }) => void told.push(message)
    next.addLogListener(tell)
    await next.fetch('select 1')
    expect(told).toEqual([])
    next.removeLogListener(tell)
    await next.release()
  })

  it('closes what the last owner had prepared, also where the reset is run again', async () => {
    const pool = await open()
    for (let round = 0; round < 5; round++) {
      await pool.use(async (connection) => {
        await connection.prepare('select 42 as pinned')
        await connection.execute('prepare by_sql as select 1')
      })
      expect(await pool.use((connection) => connection.fetchVal('select 7'))).toBe(7)
    }
    const left = "select count(*)::int from pg_prepared_statements where statement = 'select 42 as pinned'"
    expect(await pool.fetchVal(left)).toBe(0)
  })

  it('R6: released by an argument of its statement, which is not sent then', async () => {
    const pool = await open()
    const leak = "select set_config('app.tenant', $1::jsonb::text, false)"
    const id = await pool.use(async (connection) => {
      await connection.fetch(leak, [{}])
      return connection.processId
    })
    for (const give of [true, false]) {
      // The reset before is answered once this is.
      await pool.use((connection) => connection.fetchVal('select 1'))
      const owner = await pool.acquire()
      if (give) await owner.fetchVal('select 1')
      const value = {
        toJSON: () => {
          owner.release()
          return 'leaked'
        },
      }
      await expect(owner.fetch(leak, [value])).rejects.toMatchObject({ outcome: 'not-sent' })
      await pool.use(async (connection) => {
        expect(connection.processId).toBe(id)
        expect(await connection.fetchVal("select current_setting('app.tenant', true)")).toBeOneOf([null, ''])
      })
    }
  })
})
