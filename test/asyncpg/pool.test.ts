import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Connection, connect, createPool, Pool, type PoolOptions } from '../../src/index.ts'
import { deferred } from '../../src/pooling/deferred.ts'
import { adminQuery, anyServer, backends, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

const times = <T>(count: number, make: (index: number) => T) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)))

describe.for(servers())('a pool on PostgreSQL $major', (server) => {
  let dsn: string
  let pool: Pool

  const open = async (options: PoolOptions = {}) => {
    pool = await createPool(dsn, { minSize: 1, maxSize: 1, ...options })
  }

  beforeEach(async () => {
    dsn = await freshDatabase(server)
  })

  afterEach(() => pool.terminate())

  it.for([1, 5, 10, 20, 100])('serves %i callers at once from ten connections', async (callers) => {
    await open({ minSize: 5, maxSize: 10 })
    const answers = await times(callers, async (index) => {
      const connection = await pool.acquire({ timeout: '10s' })
      const answer = await connection.fetchVal('select $1::int', [index])
      await pool.release(connection)
      return answer
    })
    expect(answers).toEqual(Array.from({ length: callers }, (_, index) => index))
    expect((await backends(dsn)).length).toBeLessThanOrEqual(10)
    await pool.close()
    expect(pool.size).toBe(0)
  })

  it.for<
    [call: string, run: (pool: Pool, index: number) => Promise<unknown>, answer: (i: number) => unknown]
  >([
    ['fetch', (all, i) => all.fetch('select $1::int as i', [i]), (i) => [{ i }]],
    ['fetchRow', (all, i) => all.fetchRow('select $1::int as i', [i]), (i) => ({ i })],
    ['fetchVal', (all, i) => all.fetchVal('select $1::int', [i]), (i) => i],
    ['execute', (all) => all.execute('select generate_series(0, 10)'), () => 'SELECT 11'],
    [
      'execute with an argument',
      (all, i) => all.execute('select generate_series(0, $1::int)', [i]),
      (i) => `SELECT ${i + 1}`,
    ],
  ])('200 calls of %s at once each get their own answer', async ([, run, answer]) => {
    await open({ minSize: 5, maxSize: 10 })
    const answers = await times(200, (index) => run(pool, index))
    expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => answer(index)))
  })

  it('200 calls of executeMany at once write each row once', async () => {
    await open({ minSize: 5, maxSize: 10 })
    await pool.execute('create table written (name text, number int)')
    const rows = ['a', 'b', 'c', 'd'].map((name, index) => [name, index])
    await times(200, () => pool.executeMany('insert into written values ($1, $2)', rows))
    expect(await pool.fetch('select name, count(*)::int from written group by 1 order by 1')).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => ({ name, count: 200 })),
    )
  })

  it('R9: with maxQueries 1 the next caller gets the replacement, and whoever waits for it is served', async () => {
    await open({ maxQueries: 1 })
    const first = await pool.acquire()
    const waiting = pool.fetchVal('select pg_backend_pid()')
    await first.execute('select 1')
    await first.release()
    expect(await waiting).not.toBe(first.processId)
  })

  it('every replacement has the settings of the pool', async () => {
    await open({
      minSize: 4,
      maxSize: 4,
      maxQueries: 1,
      statementCacheSize: 0,
      serverSettings: { application_name: 'kept' },
    })
    const seen = await times(40, () =>
      pool.fetchRow<{ pid: number; name: string; prepared: number }>(
        `select pg_backend_pid() as pid, current_setting('application_name') as name,
           (select count(*)::int from pg_prepared_statements where name <> '') as prepared`,
      ),
    )
    expect(new Set(seen.map((row) => row!.pid)).size).toBe(40)
    expect(seen.every((row) => row!.name === 'kept' && row!.prepared === 0)).toBe(true)
  })

  it('R10: a short idle lifetime under load loses no caller', async () => {
    await open({ minSize: 2, maxSize: 12, maxInactiveConnectionLifetime: '20ms' })
    const answers = await times(30, async (index) => {
      let sum = 0
      for (let round = 0; round < 10; round++) {
        await pool.use(async (connection) => {
          await connection.execute(`select pg_sleep(${((index + round) % 5) / 100})`)
          sum += (await connection.fetchVal<number>('select 1'))!
        })
      }
      return sum
    })
    expect(answers).toEqual(Array.from({ length: 30 }, () => 10))
    await until('the surplus is closed', () => pool.size === 2)
  })

  it('R14: a lent connection that the server ends frees its place before it is released', async () => {
    await open()
    const held = await pool.acquire()
    await adminQuery(dsn, 'select pg_terminate_backend($1)', [held.processId])
    const next = await pool.acquire({ timeout: '5s' })
    expect(next.processId).not.toBe(held.processId)
    await held.release()
    expect(await next.fetchVal('select 1')).toBe(1)
    expect(pool).toMatchObject({ size: 1, idleSize: 0 })
    await next.release()
  })

  it('R14: a connection that its user terminates frees its place, and a release of it is harmless', async () => {
    await open()
    const ended = await pool.acquire()
    await ended.terminate()
    const next = await pool.acquire({ timeout: '5s' })
    await pool.release(ended)
    expect(await next.fetchVal('select 1')).toBe(1)
    await next.release()
  })
})

describe('a pool', () => {
  let dsn: string
  let pool: Pool

  const open = async (options: PoolOptions = {}) => {
    pool = await createPool(dsn, { minSize: 1, maxSize: 1, ...options })
  }

  beforeEach(async () => {
    dsn = await freshDatabase()
  })

  afterEach(() => pool.terminate())

  it('lends what is a Connection', async () => {
    await open()
    expect(pool).toBeInstanceOf(Pool)
    expect(await pool.use((connection) => connection instanceof Connection)).toBe(true)
  })

  it('R6: a connection from connect() is not taken for one of its own', async () => {
    await open()
    const own = await connect(dsn)
    await expect(pool.release(own)).rejects.toThrow(/not a member of this pool/)
    expect(await own.fetchVal('select 1')).toBe(1)
    await own.close()
  })

  it('R11: setup gets the very session that is handed out', async () => {
    const prepared: number[] = []
    await open({ minSize: 5, maxSize: 5, setup: (connection) => void prepared.push(connection.processId) })
    const connection = await pool.acquire()
    expect(prepared).toEqual([connection.processId])
    await connection.release()
  })

  it('R11: connect and init run once a connection, setup once a hand-out, reset once a release', async () => {
    const calls = { connect: 0, init: 0, setup: 0, reset: 0 }
    const initialised = new Set<number>()
    await open({
      minSize: 2,
      maxSize: 5,
      connect: (...where) => {
        calls.connect++
        return connect(...where)
      },
      init: ({ processId }) => {
        calls.init++
        initialised.add(processId)
      },
      setup: ({ processId }) => {
        calls.setup++
        expect(initialised).toContain(processId)
      },
      reset: () => void calls.reset++,
    })
    await times(10, () => pool.use(({ processId }) => expect(initialised).toContain(processId)))
    await until('all are open, and back', () => pool.stats().connecting === 0 && pool.idleSize === pool.size)
    const { opened } = pool.stats().totals
    expect(calls).toEqual({ connect: opened, init: opened, setup: 10, reset: 10 })
    expect(opened).toBeLessThanOrEqual(5)
  })

  it('R6: after the release all that the connection gave refuses every call by name', async () => {
    await open()
    const connection = await pool.acquire()
    const statement = await connection.prepare('select 1')
    const [tx, cursor, other] = await connection.transaction(
      async (own) => [own, own.cursor('select 1'), statement.cursor()] as const,
    )
    await connection.release()
    const why = 'connection has been released back to the pool'
    const refuses = async (owner: string, calls: Record<string, () => Promise<unknown>>) => {
      for (const [name, call] of Object.entries(calls)) {
        await expect(call()).rejects.toThrow(`cannot call ${owner}.${name}(): ${why}`)
      }
    }
    await refuses('Connection', {
      execute: () => connection.execute('select 1'),
      prepare: () => connection.prepare('select 1'),
      copyFromTable: () => connection.copyFromTable('t', { output: () => {} }),
    })
    await refuses('PreparedStatement', {
      fetch: () => statement.fetch(),
      fetchRow: () => statement.fetchRow(),
      fetchVal: () => statement.fetchVal(),
      query: () => statement.query(),
      execute: () => statement.execute(),
      executeMany: () => statement.executeMany([]),
      explain: () => statement.explain(),
    })
    for (const one of [cursor, other]) {
      await refuses('Cursor', {
        fetch: () => one.fetch(1),
        fetchRow: () => one.fetchRow(),
        forward: () => one.forward(1),
      })
    }
    await refuses('Transaction', {
      fetch: () => tx.fetch('select 1'),
      transaction: () => tx.transaction(() => {}),
    })
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it.for(['setup', 'init'] as const)(
    'R11: a failing %s closes its connection and rejects its caller; the next has another',
    async (hook) => {
      const failure = new Error(`${hook} failed`)
      const seen: number[] = []
      await open({
        minSize: 0,
        [hook]: (connection: Connection) => {
          seen.push(connection.processId)
          if (seen.length === 1) throw failure
        },
      })
      await expect(pool.acquire()).rejects.toBe(failure)
      const next = await pool.acquire()
      expect(seen).toEqual([seen[0], next.processId])
      expect(seen[0]).not.toBe(next.processId)
      await until('the first one is gone', async () => (await backends(dsn)).length === 1)
      await next.release()
    },
  )

  it('logs every one of its connections in', async () => {
    const { md5 } = anyServer().roles
    pool = await createPool(md5.dsn, { minSize: 5, maxSize: 10, requireAuth: 'md5' })
    const users = await times(10, () => pool.use((connection) => connection.fetchVal('select current_user')))
    expect(new Set(users)).toEqual(new Set([md5.user]))
  })

  it('an acquire that is aborted at any moment leaves no connection lent', async () => {
    await open({
      checkIdleAfter: 'always',
      setup: async (connection) => void (await connection.fetchVal('select 1')),
    })
    for (let turns = 0; turns < 40; turns++) {
      const controller = new AbortController()
      const acquired = pool.acquire({ timeout: '10s', signal: controller.signal })
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      controller.abort(new Error('left'))
      await acquired.then(
        (connection) => connection.release(),
        (error) => expect(error).toEqual(new Error('left')),
      )
    }
    await until('it is back', () => pool.idleSize === 1)
    expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 })
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('R1: used while it opens, it serves as soon as it can; opened twice, it opens once', async () => {
    pool = new Pool(dsn, { minSize: 2, maxSize: 2 })
    const [first, second, value] = await Promise.all([pool.open(), pool.open(), pool.fetchVal('select 1')])
    expect([first, second, value]).toEqual([undefined, undefined, 1])
    expect(pool.stats().totals.opened).toBe(2)
  })

  it('R13: it is closing from the call of close or terminate on', async () => {
    await open()
    expect(pool.isClosing).toBe(false)
    const closed = pool.close()
    expect(pool.isClosing).toBe(true)
    await closed
    await open()
    const terminated = pool.terminate()
    expect(pool.isClosing).toBe(true)
    await terminated
  })

  it('R13: close waits for a transaction that has begun', async () => {
    await open()
    await pool.execute('create table written (number int)')
    const begun = deferred<void>()
    const finish = deferred<void>()
    const work = pool.transaction(async (tx) => {
      await tx.execute('insert into written values (1)')
      begun.resolve()
      await finish.promise
      await tx.execute('insert into written values (2)')
    })
    await begun.promise
    const closed = pool.close()
    finish.resolve()
    await work
    await closed
    expect(await adminQuery(dsn, 'select number from written order by 1')).toEqual([
      { number: 1 },
      { number: 2 },
    ])
  })

  it('a transaction whose rows are read through a generator ends with its reader', async () => {
    await open()
    async function* iterate(connection: { fetch(sql: string): Promise<object[]> }) {
      for (const row of await connection.fetch('select generate_series(1, 3)')) yield row
    }
    const left = new Error('enough')
    await expect(
      pool.transaction(async (tx) => {
        for await (const _row of iterate(tx)) throw left
      }),
    ).rejects.toBe(left)
    expect(await pool.use((connection) => connection.isInTransaction)).toBe(false)
  })
})
