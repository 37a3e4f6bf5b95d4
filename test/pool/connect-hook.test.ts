import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Connection,
  connect,
  createPool,
  InterfaceError,
  Pool,
  type PoolOptions,
} from '../../src/index.ts'
import { adminQuery, backends, freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe('R11: the connect hook', () => {
  let dsn: string
  let pool: Pool

  const open = async (options: PoolOptions) => {
    pool = await createPool(dsn, { minSize: 1, maxSize: 1, ...options })
  }

  beforeEach(async () => {
    dsn = await freshDatabase()
  })

  afterEach(() => pool?.terminate())

  it('replaces connecting, and may be connect itself', async () => {
    await open({ connect, serverSettings: { application_name: 'by hook' } })
    expect(await pool.fetchVal("select current_setting('application_name')")).toBe('by hook')
  })

  it('gets the DSN and the options of the moment, with those that setConnectArgs gave', async () => {
    const other = await freshDatabase()
    const seen: unknown[] = []
    await open({
      commandTimeout: '5s',
      connect: (target, options) => {
        seen.push([target, options.commandTimeout, Object.keys(options).includes('maxSize')])
        return connect(target, options)
      },
    })
    pool.setConnectArgs(other, { commandTimeout: '7s' })
    pool.expireConnections()
    expect(await pool.fetchVal('select current_database()')).toBe(new URL(other).pathname.slice(1))
    expect(seen).toEqual([
      [dsn, '5s', false],
      [other, '7s', false],
    ])
  })

  it('hands its session over: the object is of no use afterwards, and the loss of it is the pool’s to mend', async () => {
    const given: Connection[] = []
    await open({
      connect: async (target, options) => {
        const connection = await connect(target, options)
        given.push(connection)
        return connection
      },
    })
    await expect(given[0]!.fetchVal('select 1')).rejects.toThrow('connection was handed to its pool')
    const lost = new Promise((resolve) => pool.on('close', resolve))
    await adminQuery(dsn, 'select pg_terminate_backend($1)', [given[0]!.processId])
    expect(await lost).toMatchObject({ reason: 'lost' })
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('R7: what it sets in the session is reset at the first release', async () => {
    await open({
      reset: 'auto',
      connect: async (target, options) => {
        const connection = await connect(target, options)
        await connection.execute("set work_mem = '77MB'")
        return connection
      },
    })
    expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('77MB')
    expect(await pool.fetchVal("select current_setting('work_mem')")).toBe('4MB')
  })

  it('rejects the start with what it throws', async () => {
    const failure = new Error('no token')
    await expect(
      createPool(dsn, {
        connect: () => {
          throw failure
        },
      }),
    ).rejects.toBe(failure)
  })

  it('that exceeds hookTimeout is not waited for, and a connection that comes later is closed', async () => {
    let goOn!: () => void
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const started = createPool(dsn, {
      hookTimeout: '50ms',
      connect: async (target, { signal: _, ...options }) => {
        await held
        return connect(target, options)
      },
    })
    await expect(started).rejects.toThrow('the connect hook did not end within 50 ms (hookTimeout)')
    const before = await adminQuery<{ n: number }>(dsn, countSessions)
    goOn()
    await until(
      'it has come',
      async () => (await adminQuery<{ n: number }>(dsn, countSessions))[0]!.n > before[0]!.n,
    )
    await until('it is closed', async () => (await backends(dsn)).length === 0)
  })

  it('R4: is run again where the connection that it gives has just died', async () => {
    let calls = 0
    pool = new Pool(dsn, {
      minSize: 0,
      maxSize: 1,
      connect: async (target, options) => {
        const connection = await connect(target, options)
        if (++calls > 1) return connection
        const died = new Promise<void>((resolve) => connection.addTerminationListener(() => resolve()))
        await adminQuery(dsn, 'select pg_terminate_backend($1)', [connection.processId])
        await died
        return connection
      },
    })
    const failed = new Promise((resolve) => pool.on('connectFailed', resolve))
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(await failed).toMatchObject({ permanent: false, error: { code: 'ROCKPOOL_CONNECTION_LOST' } })
    expect(calls).toBe(2)
  })

  it('is refused where it gives anything but an own, idle connection of connect()', async () => {
    const other = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const gives: [what: string, give: () => Promise<unknown>, message: RegExp][] = [
      ['nothing', async () => undefined, /must give a connection that connect\(\) opened/],
      ['one that a pool lent', () => other.acquire(), /must give a connection that connect\(\) opened/],
      ['one that is closed', () => closedConnection(), /is closed/],
      ['one in a transaction', () => connectionInTransaction(), /transaction open/],
    ]
    for (const [, give, message] of gives) {
      const started = createPool(dsn, { minSize: 1, connect: give as () => Promise<Connection> })
      await expect(started).rejects.toThrow(InterfaceError)
      await expect(started).rejects.toThrow(message)
    }
    await other.terminate()
    await until('no backend is left', async () => (await backends(dsn)).length === 0)
  })

  const closedConnection = async () => {
    const connection = await connect(dsn)
    await connection.close()
    return connection
  }

  const connectionInTransaction = async () => {
    const connection = await connect(dsn)
    await connection.execute('begin')
    return connection
  }
})

/** Sessions of the database since the statistics began, those that have ended. */
const countSessions = 'select sessions::int as n from pg_stat_database where datname = current_database()'
