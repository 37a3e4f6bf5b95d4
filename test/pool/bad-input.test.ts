import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ConnectError,
  type Connection,
  connect,
  createPool,
  InterfaceError,
  Pool,
  PoolClosedError,
} from '../../src/index.ts'
import { anyServer, backends, freshDatabase } from '../support/servers.ts'

/** A port on which nothing listens: one that was free a moment ago. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('bad input gets a typed error that says what to do', () => {
  let dsn: string
  let pool: Pool

  beforeAll(async () => {
    dsn = await freshDatabase()
    pool = await createPool(dsn, { minSize: 1, maxSize: 2 })
  })

  afterAll(() => pool.close())

  it.for([
    [{ minSize: 20, maxSize: 10 }, 'minSize 20 is greater than maxSize 10'],
    [{ min_size: 5 }, 'unknown option "min_size"; did you mean minSize?'],
    [{ maxsize: 5 }, 'did you mean maxSize?'],
    [{ colour: 'red' }, 'unknown option "colour"'],
    [{ maxSize: 0 }, 'maxSize: 0'],
    [{ maxSize: -3 }, 'maxSize: -3'],
    [{ maxSize: Number.NaN }, 'maxSize: NaN'],
    [{ maxQueries: 1.5 }, 'maxQueries: 1.5'],
    [{ commandTimeout: '60' }, 'commandTimeout: "60" is not a duration'],
    [{ commandTimeout: -1 }, 'commandTimeout: -1 is not a duration'],
    [{ acquireTimeout: null }, 'acquireTimeout'],
    [{ statementCacheSize: -1 }, 'statementCacheSize: -1'],
    [{ types: { int8: 'float' } }, 'types.int8'],
    [{ init: 'select 1' }, 'init: must be a function'],
    [{ port: 99_999 }, 'port'],
    [{ ssl: 'maybe' }, 'ssl'],
  ] as const)('R18: options %j are refused before anything is opened: %s', async ([options, message]) => {
    const failure = createPool(dsn, options as object)
    await expect(failure).rejects.toThrow(InterfaceError)
    await expect(failure).rejects.toThrow(message)
  })

  it('a wrong DSN', async () => {
    await expect(createPool('mysql://app:canary@db/tasks')).rejects.toThrow(InterfaceError)
    await expect(createPool('mysql://app:canary@db/tasks')).rejects.not.toThrow(/canary/)
    await expect(connect('postgres://app:canary@[::1/tasks')).rejects.toThrow(InterfaceError)
    await expect(connect('postgres://app:canary@db:port/tasks')).rejects.not.toThrow(/canary/)
    await expect(connect(dsn, { maxSize: 4 } as object)).rejects.toThrow('unknown option "maxSize"')
  })

  it('R1: a wrong password fails once and fast, and nothing stays open', async () => {
    const { dsn: scram } = anyServer().roles.scram
    const wrong = new URL(scram)
    wrong.password = 'canary'
    const failure = createPool(wrong.href, { minSize: 10 })
    await expect(failure).rejects.toThrow(ConnectError)
    await expect(failure).rejects.toMatchObject({
      permanent: true,
      cause: expect.objectContaining({ condition: 'invalid_password' }),
    })
    await expect(failure).rejects.not.toThrow(/canary/)
  })

  it('a server that is down', async () => {
    const port = await deadPort()
    const failure = createPool(`postgres://app@127.0.0.1:${port}/tasks`)
    await expect(failure).rejects.toThrow(ConnectError)
    await expect(failure).rejects.toThrow(`127.0.0.1:${port}`)
    await expect(failure).rejects.toMatchObject({ permanent: false })
  })

  it('an unknown database', async () => {
    const url = new URL(dsn)
    url.pathname = '/nowhere'
    await expect(connect(url.href)).rejects.toMatchObject({
      code: 'ROCKPOOL_CONNECT',
      permanent: true,
      message: expect.stringContaining('nowhere'),
    })
  })

  it('R6: a foreign connection is refused', async () => {
    const other = await createPool(dsn, { minSize: 0, maxSize: 1 })
    const connection = await other.acquire()
    await expect(pool.release(connection)).rejects.toThrow('is not a member of this pool')
    await expect(pool.release({} as Connection)).rejects.toThrow(InterfaceError)
    await connection.release()
    await other.close()
  })

  it('R6: use after release', async () => {
    const connection = await pool.acquire()
    const why = 'connection has been released back to the pool'
    await connection.release()
    await connection.release()
    await pool.release(connection)
    await expect(connection.fetch('select 1')).rejects.toThrow(`cannot call Connection.fetch(): ${why}`)
    await expect(connection.fetchRow('select 1')).rejects.toThrow(`cannot call Connection.fetchRow(): ${why}`)
    await expect(connection.execute('select 1')).rejects.toThrow(`cannot call Connection.execute(): ${why}`)
    await expect(connection.transaction(async () => {})).rejects.toThrow(
      `cannot call Connection.transaction(): ${why}`,
    )
    await expect(connection.fetch('select 1')).rejects.toThrow(InterfaceError)
    expect(connection.isClosed).toBe(true)
    expect(pool.size).toBe(1)
  })

  it('R6: a transaction whose connection was released rejects, and commits nothing', async () => {
    await pool.execute('create table if not exists early (n int)')
    const connection = await pool.acquire()
    const early = connection.transaction(async (tx) => {
      await tx.execute('insert into early values (1)')
      await connection.release()
      await expect(tx.fetch('select 1')).rejects.toThrow(
        'cannot call Transaction.fetch(): connection has been released',
      )
    })
    await expect(early).rejects.toThrow('connection has been released back to the pool')
    expect(await pool.fetchVal('select count(*)::int from early')).toBe(0)
  })

  it('R13: a closed pool', async () => {
    const closed = await createPool(dsn, { minSize: 1 })
    await closed.close()
    await expect(closed.acquire()).rejects.toThrow(PoolClosedError)
    await expect(closed.fetch('select 1')).rejects.toThrow(PoolClosedError)
    await closed.close()
  })

  it('new Pool throws for what is wrong, and opens nothing before its first use', async () => {
    expect(() => new Pool(dsn, { maxSize: 0 })).toThrow(InterfaceError)
    const own = await freshDatabase()
    const lazy = new Pool(own, { minSize: 2 })
    expect((await backends(own)).length).toBe(0)
    expect(await lazy.fetchVal('select 1')).toBe(1)
    await lazy.close()
  })

  it.for([
    ['begin', 'pool.transaction()'],
    ['  /* so /* deep */ */ -- that\n commit', 'pool.transaction()'],
    ['start transaction', 'pool.transaction()'],
    ['--\rbegin', 'pool.transaction()'],
    [';begin', 'pool.transaction()'],
    ['listen news', 'pool.listen()'],
    ["SET statement_timeout = '1s'", 'serverSettings'],
    ['copy t from stdin', 'pool.use()'],
  ] as const)('R16: %j alone on a pool is refused and told what to use', async ([sql, use]) => {
    await expect(pool.execute(sql)).rejects.toThrow(InterfaceError)
    await expect(pool.execute(sql)).rejects.toThrow(use)
  })
})
