import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect, createPool, type Duration, QueryTimeoutError } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

type Limited = { timeout?: Duration }

const calls: readonly [call: string, run: (connection: Connection, limit: Limited) => Promise<unknown>][] = [
  ['fetch', (connection, limit) => connection.fetch('select pg_sleep($1)', [60], limit)],
  ['fetchRow', (connection, limit) => connection.fetchRow('select pg_sleep($1)', [60], limit)],
  ['fetchVal', (connection, limit) => connection.fetchVal('select pg_sleep($1)', [60], limit)],
  ['query', (connection, limit) => connection.query('select pg_sleep($1)', [60], limit)],
  ['execute', (connection, limit) => connection.execute('select pg_sleep(60)', [], limit)],
  ['execute with an argument', (connection, limit) => connection.execute('select pg_sleep($1)', [60], limit)],
  ['executeMany', (connection, limit) => connection.executeMany('select pg_sleep($1)', [[0], [60]], limit)],
]

describe.for(servers())('R8: a time-out on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
  })

  afterEach(() => connection.terminate())

  it.for(calls)('of %s ends it, and the connection goes on', async ([, run]) => {
    connection = await connect(dsn)
    await expect(run(connection, { timeout: 50 })).rejects.toThrow(QueryTimeoutError)
    expect(await connection.fetchVal('select 1')).toBe(1)
    expect(connection.isInTransaction).toBe(false)
  })

  it.for(calls)('of the connection counts for %s', async ([, run]) => {
    connection = await connect(dsn, { commandTimeout: '50ms' })
    await expect(run(connection, {})).rejects.toThrow(QueryTimeoutError)
    expect(await connection.fetchVal('select 1', [], { timeout: 0 })).toBe(1)
  })

  it('counts the preparing of the statement', async () => {
    connection = await connect(dsn)
    const blocker = await connect(dsn)
    await blocker.execute('create table if not exists locked (n int)')
    await blocker.transaction(async (tx) => {
      await tx.execute('lock table locked in access exclusive mode')
      await expect(connection.fetch('select n from locked', [], { timeout: 50 })).rejects.toThrow(
        QueryTimeoutError,
      )
    })
    expect(await connection.fetch('select n from locked')).toEqual([])
    await blocker.close()
  })

  it('as short as can be, 300 times over, never hits the next statement', { timeout: 60_000 }, async () => {
    connection = await connect(dsn)
    for (let round = 0; round < 300; round++) {
      await expect(connection.fetch('select pg_sleep(1)', [], { timeout: 0.001 })).rejects.toThrow(
        QueryTimeoutError,
      )
      expect(await connection.fetchVal('select $1::int', [round])).toBe(round)
    }
  })

  it('in a transaction fails that transaction', async () => {
    connection = await connect(dsn)
    await connection.fetch('select pg_sleep($1)', [0])
    await expect(
      connection.transaction(async (tx) => {
        await expect(tx.fetch('select pg_sleep($1)', [60], { timeout: 50 })).rejects.toThrow(
          QueryTimeoutError,
        )
        await tx.fetch('select 1')
      }),
    ).rejects.toMatchObject({ condition: 'in_failed_sql_transaction' })
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it.for([['a'], [false], [-1], [Number.NaN], ['1 fortnight']])('R18: %j is none', async ([nonsense]) => {
    const commandTimeout = nonsense as never
    await expect(connect(dsn, { commandTimeout })).rejects.toThrow(/^commandTimeout: /)
    await expect(createPool(dsn, { commandTimeout })).rejects.toThrow(/^commandTimeout: /)
    connection = await connect(dsn)
    for (const call of ['fetch', 'fetchRow', 'fetchVal', 'query', 'execute'] as const) {
      await expect(connection[call]('select 1', [], { timeout: commandTimeout })).rejects.toThrow(/timeout: /)
    }
    expect(await connection.fetchVal('select 1')).toBe(1)
  })
})
