import { describe, expect, it, onTestFinished } from 'vitest'
import { createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { OneShotText } from '../../src/one-shot-texts.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { adminQuery, anyServer, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

const who = 'select pg_backend_pid()'

async function open(dsn: string, options: PoolOptions = {}): Promise<Pool> {
  const pool = await createPool(dsn, { minSize: 2, maxSize: 2, ...options })
  onTestFinished(() => pool.terminate())
  return pool
}

/** Two at once have one hand-out between them, though another connection is idle. */
async function doShare(pool: Pool, sql = who): Promise<boolean> {
  let handOuts = 0
  const off = pool.on('acquire', () => void handOuts++)
  await Promise.all([pool.fetch(sql), pool.fetch(sql)])
  off()
  return handOuts === 1
}

/** Runs `sql` until it is known to be quick, which takes longer where the machine is busy. */
const untilShared = (pool: Pool, sql = who) => until(`${sql} shares`, () => doShare(pool, sql), 20_000)

async function neverShare(pool: Pool, sql = who): Promise<void> {
  for (let round = 0; round < 30; round++) expect(await doShare(pool, sql)).toBe(false)
}

async function throughProxy(
  options: PoolOptions = {},
): Promise<{ pool: Pool; proxy: FaultProxy; dsn: string }> {
  const dsn = await freshDatabase()
  const { hostname, port } = new URL(dsn)
  const proxy = await FaultProxy.start({ host: hostname, port: Number(port) })
  onTestFinished(() => proxy.close())
  return { pool: await open(proxy.through(`${dsn}?sslmode=disable`), options), proxy, dsn }
}

describe.for(servers())('R16 on PostgreSQL $major: one-shots that share a connection', (server) => {
  it('do so once their first run, alone, has told that they are quick', async () => {
    const pool = await open(await freshDatabase(server))
    expect(await doShare(pool)).toBe(false)
    await untilShared(pool)
  })

  it('are each a transaction of its own, and none sees the error of another', async () => {
    const pool = await open(await freshDatabase(server), { minSize: 1, maxSize: 1 })
    const divided = 'select 60 / $1::int as n, pg_current_xact_id_if_assigned()::text as x, now() as at'
    await pool.fetch(divided, [1])
    for (let round = 0; round < 30; round++) {
      const divisors = Array.from({ length: 40 }, (_, i) => i % 5)
      const results = await Promise.allSettled(
        divisors.map((divisor) => pool.fetchRow<{ n: number }>(divided, [divisor])),
      )
      for (const [i, result] of results.entries()) {
        if (divisors[i] === 0) {
          expect(result).toMatchObject({
            status: 'rejected',
            reason: { sqlState: '22012', outcome: 'failed' },
          })
        } else {
          expect(result).toMatchObject({ status: 'fulfilled', value: { n: 60 / divisors[i]! } })
        }
      }
    }
  })

  it('get each its own answer, whatever is asked of the pool beside them', async () => {
    const pool = await open(await freshDatabase(server), { maxSize: 4 })
    const echo = 'select $1::int as n'
    const worker = async (_: unknown, first: number) => {
      for (let i = 0; i < 200; i++) {
        const n = first * 1_000 + i
        const kind = n % 7
        if (kind === 0) {
          const seen = await pool.use(async (connection) => {
            await connection.execute(`set app.mine = '${n}'; create temp table t as select ${n} as n`)
            return connection.fetchVal('select n from t')
          })
          expect(seen).toBe(n)
        } else if (kind === 1) {
          expect(await pool.transaction((tx) => tx.fetchVal(echo, [n]))).toBe(n)
        } else if (kind === 2) {
          expect(
            await pool.fetchRow(
              "select current_setting('app.mine', true) as mine, to_regclass('t')::text as t, $1::int as n",
              [n],
            ),
          ).toEqual({ mine: expect.toSatisfy((mine) => mine === null || mine === ''), t: null, n })
        } else expect(await pool.fetchVal(echo, [n])).toBe(n)
      }
    }
    await Promise.all(Array.from({ length: 20 }, worker))
  })

  it('are answered in the order in which they were asked', async () => {
    const pool = await open(await freshDatabase(server), { minSize: 1, maxSize: 1 })
    const order: number[] = []
    await pool.fetchVal('select $1::int', [0])
    await Promise.all(
      Array.from(
        { length: 300 },
        async (_, i) => void order.push((await pool.fetchVal<number>('select $1::int', [i]))!),
      ),
    )
    expect(order).toEqual(Array.from({ length: 300 }, (_, i) => i))
  })

  it('go on elsewhere, and quickly, where one suddenly waits; those behind it can be given up', async () => {
    const dsn = await freshDatabase(server)
    await adminQuery(dsn, 'create table kept as select 1 as n')
    const pool = await open(dsn, { minSize: 3, maxSize: 3 })
    const read = 'select n from kept'
    await untilShared(pool, read)
    await untilShared(pool)
    const holder = await pool.acquire()
    await holder.execute('begin; lock table kept')
    const stuck = pool.fetchVal(read)
    const abort = new AbortController()
    const gone = expect(pool.fetchVal(who, [], { signal: abort.signal })).rejects.toThrow('left')
    const over = expect(pool.fetchVal(read, [], { timeout: '100ms' })).rejects.toMatchObject({
      code: 'ROCKPOOL_QUERY_TIMEOUT',
    })
    abort.abort(new Error('left'))
    await gone
    await over
    for (let i = 0; i < 50; i++) expect(await pool.fetchVal(who)).toBeGreaterThan(0)
    await holder.execute('rollback')
    expect(await stuck).toBe(1)
    await holder.release()
  })

  it('do not pile up behind one that waits, however many of those behind it are given up', async () => {
    const dsn = await freshDatabase(server)
    await adminQuery(dsn, 'create table kept as select 1 as n')
    const pool = await open(dsn, { minSize: 2, maxSize: 2 })
    const read = 'select n from kept'
    await untilShared(pool, read)
    await untilShared(pool)
    const holder = await pool.acquire()
    await holder.execute('begin; lock table kept')
    const stuck = pool.fetchVal(read)
    const behind = Array.from({ length: 5 }, () => pool.fetchVal(who, [], { timeout: '30ms' }))
    for (const { status } of await Promise.allSettled(behind)) expect(status).toBe('rejected')
    const newcomer = pool.fetchVal(who)
    expect(pool.waitingSize).toBe(1)
    await holder.execute('rollback')
    expect(await stuck).toBe(1)
    expect(await newcomer).toBeGreaterThan(0)
    await holder.release()
  })
})

describe('R16: a connection is not shared', () => {
  it.for<[what: string, options: PoolOptions]>([
    ['with a setup hook', { setup: async () => {} }],
    ['with a reset function', { reset: async () => {} }],
    ['where shareOneShots is off', { shareOneShots: false }],
    ['where no statements are kept', { statementCacheSize: 0 }],
    ['by texts that are too long to be kept', { maxCacheableStatementSize: 5 }],
  ])('%s', async ([, options]) => {
    await neverShare(await open(await freshDatabase(), options))
  })

  it('by a statement that is not quick', async () => {
    const dsn = await freshDatabase()
    await adminQuery(dsn, 'create table kept (n int)')
    const pool = await open(dsn)
    const read = 'select count(*) from generate_series(1, $1::int)'
    await pool.fetch(read, [2_000_000])
    let handOuts = 0
    pool.on('acquire', () => void handOuts++)
    await Promise.all([pool.fetch(read, [1]), pool.fetch(read, [1])])
    expect(handOuts).toBe(2)
  })

  it('with a lease: a statement by itself waits, or goes elsewhere', async () => {
    const pool = await open(await freshDatabase(), { minSize: 1, maxSize: 1 })
    await pool.fetch(who)
    const held = await pool.acquire()
    await expect(pool.fetch(who, [], { timeout: '50ms' })).rejects.toMatchObject({ outcome: 'not-sent' })
    await held.release()
    expect(await pool.fetchVal(who)).toBe(held.processId)
  })

  it.for([
    'insert into t values (1)',
    'with x as (insert into t values (1) returning *) table x',
    'with x as (delete from t returning *) select * from x',
    'select * from t for update',
    'select * from t for share skip locked',
    'select 1 into temp s',
    "select nextval('s')",
    "select setval('s', 1)",
    "select set_config('a.b', 'c', false)",
    "select set_config('a.b', 'c', true)",
    'select pg_advisory_lock(1)',
    'select pg_try_advisory_lock(1)',
    'select pg_advisory_xact_lock(1)',
    'select pg_sleep(0)',
    'select mine()',
    'select mine.lower(a) from t',
    'select (t).f from t',
    'select "quoted"(1)',
    "select dblink_connect('x')",
    'select lo_creat(1)',
    'select pg_cancel_backend(1)',
    'select 1; select 2',
    "select 'a\\'",
    'update t set a = 1',
    'call p()',
    'do $$ $$',
    'explain analyze select 1',
    'show all',
    'fetch c',
    'execute x',
    'vacuum',
    'create temp table s ()',
    '',
    ';',
  ])('by %j', (sql) => {
    expect(new OneShotText(sql, true).mayShare).toBe(false)
  })

  it.for([
    'select * from tasks where id = $1',
    'SELECT id, lock_version, clock, blocked FROM tasks ORDER BY id LIMIT 10',
    "select count(*), lower(name), now(), current_setting('a.b', true) from tasks group by 2",
    'with recent as (select * from tasks) select * from recent union all table tasks',
    'values (1), (2)',
    'table tasks',
    '/* a comment; insert */ select a::text from tasks -- for update',
    "select 'insert; update' as words",
  ])('but may be by %j', (sql) => {
    expect(new OneShotText(sql, true).mayShare).toBe(true)
  })
})

describe('R16: a shared connection', () => {
  it('has a bounded number of statements in flight; the others wait in their order', async () => {
    const { pool, proxy } = await throughProxy({ minSize: 1, maxSize: 1 })
    await pool.fetch('select $1::int', [0])
    proxy.toServer.hold()
    const order: number[] = []
    const asked = Array.from(
      { length: 300 },
      async (_, i) => void order.push((await pool.fetchVal<number>('select $1::int', [i]))!),
    )
    expect(pool.waitingSize).toBeGreaterThanOrEqual(300 - 128)
    proxy.toServer.resume()
    await Promise.all(asked)
    expect(order).toEqual(Array.from({ length: 300 }, (_, i) => i))
  })

  it('R3: takes no newcomers while anyone waits for a connection', async () => {
    const { pool, proxy } = await throughProxy({ minSize: 2, maxSize: 2 })
    await untilShared(pool)
    await until('all are idle', () => pool.idleSize === 2)
    const [one, two] = [await pool.acquire(), await pool.acquire()]
    await one.release()
    proxy.toServer.hold()
    const order: string[] = []
    const riding = pool.fetch(who)
    const lease = pool.use(() => void order.push('lease'))
    const newcomer = pool.fetch(who).then(() => order.push('newcomer'))
    expect(pool.waitingSize).toBe(2)
    proxy.toServer.resume()
    await Promise.all([riding, lease, newcomer])
    expect(order).toEqual(['lease', 'newcomer'])
    await two.release()
  })

  it('R9: retires at maxQueries, to the statement', async () => {
    const pool = await open(await freshDatabase(), { minSize: 2, maxSize: 2, maxQueries: 7 })
    const runs = new Map<number, number>()
    for (let round = 0; round < 20; round++) {
      for (const pid of await Promise.all(Array.from({ length: 20 }, () => pool.fetchVal<number>(who)))) {
        runs.set(pid!, (runs.get(pid!) ?? 0) + 1)
      }
    }
    expect(Math.max(...runs.values())).toBe(7)
  })

  it('R7: is reset when it leaves the shared use, once for all of them', async () => {
    const { pool, proxy } = await throughProxy({ minSize: 1, maxSize: 1 })
    let resets = 0
    proxy.toServer.rewriteMessages((message) => {
      if (message.type === 'B' && message.body.includes('rockpool_reset_1\0')) resets++
      return message
    })
    await until('they share, and are reset once for all', async () => {
      resets = 0
      await Promise.all(Array.from({ length: 100 }, () => pool.fetch(who)))
      await until('it is idle', () => pool.idleSize === 1)
      await pool.fetch(who)
      return resets < 30
    })
    expect(resets).toBeGreaterThan(0)
  })

  it('R8: hurts none of its statements when one of them is given up', async () => {
    const pool = await open(await freshDatabase(), { minSize: 1, maxSize: 1 })
    const echo = 'select $1::int'
    await pool.fetch(echo, [0])
    for (let round = 0; round < 40; round++) {
      const abort = new AbortController()
      const results = Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          pool.fetchVal(echo, [i], i === round % 20 ? { signal: abort.signal } : {}),
        ),
      )
      setTimeout(() => abort.abort(new Error('left')), round % 3)
      for (const [i, result] of (await results).entries()) {
        if (i === round % 20 && result.status === 'rejected') expect(result.reason).toEqual(new Error('left'))
        else expect(result).toEqual({ status: 'fulfilled', value: i })
      }
    }
    expect(pool.stats().totals.opened).toBe(1)
  })

  it('R14: that died between two statements is not taken', async () => {
    const dsn = await freshDatabase()
    const pool = await open(dsn, { minSize: 1, maxSize: 1 })
    for (let round = 0; round < 10; round++) {
      const pid = await pool.fetchVal<number>(who)
      await adminQuery(dsn, 'select pg_terminate_backend($1)', [pid])
      await until('its loss is known', () => pool.stats().totals.closed.lost === round + 1)
      expect(await pool.fetchVal(who)).not.toBe(pid)
    }
  })

  it('R13: is closed with the pool once its statements are answered', async () => {
    const pool = await open(await freshDatabase())
    await untilShared(pool)
    const asked = Array.from({ length: 100 }, () => pool.fetchVal(who))
    const closed = pool.close()
    await Promise.all(asked)
    await closed
    await expect(pool.fetchVal(who)).rejects.toMatchObject({ code: 'ROCKPOOL_POOL_CLOSED' })
  })

  it('R13: ends with terminate', async () => {
    const { pool, proxy } = await throughProxy()
    await untilShared(pool)
    proxy.toServer.hold()
    const asked = Array.from({ length: 300 }, () => pool.fetchVal(who))
    const results = Promise.allSettled(asked)
    await pool.terminate()
    for (const { status } of await results) expect(status).toBe('rejected')
  })

  it('R12: is replaced by expireConnections under a load that never ends', async () => {
    const pool = await open(await freshDatabase(), { minSize: 1, maxSize: 1 })
    const before = await pool.fetchVal(who)
    let isOver = false
    const load = Array.from({ length: 20 }, async () => {
      while (!isOver) await pool.fetchVal(who)
    })
    pool.expireConnections()
    await until('another has taken its place', async () => (await pool.fetchVal(who)) !== before)
    isOver = true
    await Promise.all(load)
  })

  it('is not used while the pool is suspended', async () => {
    const pool = await open(await freshDatabase())
    await untilShared(pool)
    pool.suspend()
    const asked = Promise.all([pool.fetchVal(who), pool.fetchVal(who)])
    expect(pool.waitingSize).toBe(2)
    pool.resume()
    expect(await asked).toHaveLength(2)
  })
})

describe('R4: whoever asks for one thing after the other', () => {
  it.for<[what: string, ask: (pool: Pool) => Promise<unknown>]>([
    ['a lease', (pool) => pool.use(() => {})],
    ['a statement that does not share', (pool) => pool.execute('select 1')],
    ['a transaction', (pool) => pool.transaction((tx) => tx.fetchVal(who))],
  ])('has no second connection opened for %s behind one-shots that share', async ([, ask]) => {
    const pool = await open(await freshDatabase(), { minSize: 1, maxSize: 5 })
    let handOuts = 0
    pool.on('acquire', () => void handOuts++)
    await until('it is known to be quick', async () => {
      handOuts = 0
      await pool.fetchVal(who)
      await pool.fetchVal(who)
      return handOuts === 1
    })
    for (let round = 0; round < 20; round++) {
      await pool.fetchVal(who)
      await ask(pool)
    }
    expect(pool.stats().totals.opened).toBe(1)
  })
})

describe('R16: a statement by itself', () => {
  it('R8: has one time for its wait and its run', async () => {
    const pool = await open(await freshDatabase(anyServer()), {
      minSize: 1,
      maxSize: 1,
      commandTimeout: '200ms',
    })
    await pool.fetch(who)
    const held = await pool.acquire()
    const started = performance.now()
    await expect(pool.fetch(who)).rejects.toMatchObject({ outcome: 'not-sent' })
    expect(performance.now() - started).toBeGreaterThan(150)
    await held.release()
  })

  it.for([
    ['begin', 'pool.transaction()'],
    ['/* x */ Listen news', 'pool.listen()'],
    ["set work_mem = '5MB'", 'serverSettings'],
    ['copy t from stdin', 'its copy methods'],
    ['prepare x as select 1', 'pool.use()'],
  ])('is refused where it has no lasting effect: %s', async ([sql, use]) => {
    const pool = await open(await freshDatabase())
    for (const call of [pool.fetch(sql!), pool.execute(sql!), pool.executeMany(sql!, [[]])]) {
      await expect(call).rejects.toMatchObject({ code: 'ROCKPOOL_INTERFACE', outcome: 'not-sent' })
      await expect(call).rejects.toThrow(use)
    }
  })
})
