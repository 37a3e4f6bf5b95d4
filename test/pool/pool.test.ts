import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Connection,
  createPool,
  Pool,
  type PoolOptions,
  PoolOverloadedError,
  PoolTimeoutError,
  QueryTimeoutError,
} from '../../src/index.ts'
import { adminQuery, anyServer, backends, freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe('a pool', () => {
  let dsn: string
  let pool: Pool

  const open = async (options: PoolOptions = {}) => {
    pool = await createPool(dsn, { minSize: 1, maxSize: 2, ...options })
  }

  beforeEach(async () => {
    dsn = await freshDatabase()
  })

  afterEach(() => pool.terminate())

  it('has the calls of a connection', async () => {
    await open()
    await pool.execute('create table t (id int primary key, name text)')
    await pool.executeMany('insert into t values ($1, $2)', [
      [1, 'a'],
      [2, 'b'],
    ])
    expect(await pool.fetch('select * from t order by id')).toEqual([
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ])
    expect(await pool.fetchRow('select name from t where id = $1', [2])).toEqual({ name: 'b' })
    expect(await pool.fetchVal('select count(*)::int from t')).toBe(2)
    expect(await pool.query('delete from t')).toMatchObject({ rowCount: 2, command: 'DELETE' })
  })

  it('use gives the connection back when its function resolves, rejects or throws', async () => {
    await open({ maxSize: 1 })
    expect(await pool.use((connection) => connection.fetchVal('select 1'))).toBe(1)
    await expect(pool.use((connection) => connection.fetchVal('select 1/0'))).rejects.toThrow(
      'division by zero',
    )
    await expect(
      pool.use(() => {
        throw new Error('thrown')
      }),
    ).rejects.toThrow('thrown')
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(pool.stats().leased).toBe(0)
  })

  it('await using gives the connection back at the end of the scope, and closes the pool', async () => {
    let kept: Connection
    {
      await using scoped = await createPool(dsn, { minSize: 1, maxSize: 1 })
      pool = scoped
      {
        await using connection = await scoped.acquire()
        kept = connection
        expect(await connection.fetchVal('select 1')).toBe(1)
      }
      expect(kept.isClosed).toBe(true)
      expect(scoped.stats().leased).toBe(0)
    }
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'ROCKPOOL_POOL_CLOSED' })
  })

  it('a transaction on the pool commits or rolls back as a whole', async () => {
    await open()
    await pool.execute('create table t (id int)')
    await pool.transaction((tx) => tx.execute('insert into t values (1)'), { isolation: 'serializable' })
    await expect(
      pool.transaction(async (tx) => {
        await tx.execute('insert into t values (2)')
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await pool.fetch('select id from t')).toEqual([{ id: 1 }])
  })

  it('R5: a time-out says who has the connections', async () => {
    await open({ minSize: 2, acquireTimeout: '150ms' })
    const held = [await pool.acquire(), await pool.acquire()]
    const failure = pool.acquire()
    await expect(failure).rejects.toThrow(PoolTimeoutError)
    await expect(failure).rejects.toThrow(/2 of 2 .*in use.*0 idle.*1 waiting/s)
    await expect(pool.fetch('select 1', [], { timeout: 50 })).rejects.toThrow(PoolTimeoutError)
    await expect(pool.use(() => {}, { timeout: 50 })).rejects.toThrow(PoolTimeoutError)
    for (const connection of held) await connection.release()
    expect(await pool.fetchVal('select 1', [], { timeout: 0 })).toBe(1)
  })

  it('R5: a time-out while the server is away has the connect failure as its cause', async () => {
    pool = new Pool('postgres://app@127.0.0.1:1/tasks', { acquireTimeout: '200ms' })
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'ROCKPOOL_POOL_TIMEOUT',
      cause: expect.objectContaining({ code: 'ROCKPOOL_CONNECT' }),
    })
  })

  it('R5: over maxWaiting the next caller is refused at once', async () => {
    await open({ maxSize: 1, maxWaiting: 1 })
    const connection = await pool.acquire()
    const waiting = pool.acquire()
    await expect(pool.acquire()).rejects.toThrow(PoolOverloadedError)
    await connection.release()
    await (await waiting).release()
  })

  it('an aborted signal ends the wait with its reason', async () => {
    await open({ maxSize: 1 })
    const connection = await pool.acquire()
    const controller = new AbortController()
    const reason = new Error('left')
    const waits = [
      pool.acquire({ signal: controller.signal }),
      pool.fetch('select 1', [], { signal: controller.signal }),
      pool.use(() => {}, { signal: controller.signal }),
    ]
    controller.abort(reason)
    for (const wait of waits) await expect(wait).rejects.toBe(reason)
    expect(pool.waitingSize).toBe(0)
    await connection.release()
  })

  it('R16: the time-out of a statement by itself counts its wait', async () => {
    await open({ maxSize: 1 })
    const connection = await pool.acquire()
    // It would be in time, were its second counted from when it has a connection.
    const failure = pool.fetchVal('select pg_sleep(0.7)', [], { timeout: '1s' })
    failure.catch(() => {})
    await connection.fetchVal('select pg_sleep(0.5)')
    await connection.release()
    await expect(failure).rejects.toThrow(QueryTimeoutError)
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('R11: init runs once a connection, setup before each hand-out', async () => {
    const calls: string[] = []
    await open({
      minSize: 1,
      maxSize: 1,
      init: async (connection) => {
        calls.push('init')
        await connection.execute('create table if not exists made_by_init ()')
      },
      setup: async (connection) => {
        calls.push(`setup ${await connection.fetchVal('select 1')}`)
      },
    })
    await pool.use(() => {})
    await pool.fetchVal('select 1')
    expect(calls).toEqual(['init', 'setup 1', 'setup 1'])
    expect(await pool.fetchVal("select to_regclass('made_by_init')::text")).toBe('made_by_init')
  })

  it('R11: a setup that throws or hangs rejects that caller, and the pool goes on', async () => {
    const faults = ['throw', 'hang', 'none']
    await open({
      maxSize: 1,
      hookTimeout: '100ms',
      setup: async (connection) => {
        const fault = faults.shift()
        if (fault === 'throw') throw new Error('setup failed')
        if (fault === 'hang') await connection.fetchVal('select pg_sleep(60)')
      },
    })
    await expect(pool.acquire()).rejects.toThrow('setup failed')
    await expect(pool.acquire()).rejects.toThrow(/hookTimeout/)
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(pool.size).toBe(1)
  })

  it('R11: an init that throws fails the start with its error, and nothing stays open', async () => {
    const failed = new Error('init failed')
    pool = new Pool(dsn, {
      minSize: 2,
      init: () => {
        throw failed
      },
    })
    await expect(pool.open()).rejects.toBe(failed)
    await until('no backend is left', async () => (await backends(dsn)).length === 0)
  })

  it('R12: expireConnections replaces idle connections at once, and those in use at release', async () => {
    await open({ minSize: 2 })
    const held = await pool.acquire()
    const before = (await backends(dsn)).map(({ pid }) => pid)
    pool.expireConnections()
    await until('the idle one is replaced', async () => {
      const now = (await backends(dsn)).map(({ pid }) => pid)
      return now.length === 2 && now.filter((pid) => before.includes(pid)).length === 1
    })
    expect(await held.fetchVal('select 1')).toBe(1)
    await held.release()
    await until('the other one is replaced', async () => {
      const now = (await backends(dsn)).map(({ pid }) => pid)
      return now.length === 2 && !now.some((pid) => before.includes(pid))
    })
  })

  it('R12: setConnectArgs counts for every later connect', async () => {
    await open()
    const other = await freshDatabase()
    pool.setConnectArgs(other)
    pool.expireConnections()
    expect(await pool.fetchVal('select current_database()')).toBe(new URL(other).pathname.slice(1))
    expect(() => pool.setConnectArgs(other, { port: -1 })).toThrow(/port/)
  })

  it('R12: a password function is asked at each connect', async () => {
    const { scram } = anyServer().roles
    let asked = 0
    const url = new URL(scram.dsn)
    url.password = ''
    pool = await createPool(url.href, {
      minSize: 3,
      maxSize: 3,
      password: async () => {
        asked++
        return scram.password
      },
    })
    expect(asked).toBe(3)
  })

  it('R13: close with a time-out terminates and names the holders', async () => {
    await open()
    const connection = await pool.acquire()
    const failure = pool.close({ timeout: '100ms' })
    await expect(failure).rejects.toThrow(PoolTimeoutError)
    await expect(connection.fetch('select 1')).rejects.toThrow(/Connection|connection/)
    await until('no backend is left', async () => (await backends(dsn)).length === 0)
  })

  it('R15: a connection that died unseen while idle is replaced without the caller noticing', async () => {
    await open({ minSize: 2, checkIdleAfter: 'always' })
    await adminQuery(
      dsn,
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('tells what happens to its connections', async () => {
    pool = new Pool(dsn, { minSize: 1, maxSize: 1, maxQueries: 1 })
    const heard: string[] = []
    const off = pool.on('open', ({ processId }) => heard.push(`open ${typeof processId}`))
    pool.on('close', ({ reason }) => heard.push(`close ${reason}`))
    pool.on('acquire', ({ number }) => heard.push(`acquire ${number}`))
    pool.on('release', ({ number }) => heard.push(`release ${number}`))
    await pool.open()
    off()
    await pool.fetchVal('select 1')
    await until('it is replaced', () => pool.stats().totals.opened === 2)
    expect(heard).toEqual(['open number', 'acquire 1', 'release 1', 'close maxQueries'])
  })

  it('never shows its password', async () => {
    const { scram } = anyServer().roles
    pool = await createPool(scram.dsn, { minSize: 1 })
    const { inspect } = await import('node:util')
    for (const shown of [inspect(pool, { depth: 10, showHidden: true }), JSON.stringify(pool), pool.target]) {
      expect(shown).not.toContain(scram.password)
    }
  })
})
