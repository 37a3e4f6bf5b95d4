import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Connection, connect, InterfaceError, QueryTimeoutError } from '../../src/index.ts'
import { freshDatabase, servers, sleepers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())('R8 on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
  })

  afterEach(() => connection.terminate())

  const isSleeping = async () => (await sleepers(dsn)).includes(connection.processId)

  it('a command time-out cancels the statement on the server, and the connection is usable again', async () => {
    connection = await connect(dsn, { commandTimeout: '200ms' })
    await connection.fetch('select pg_sleep($1)', [0], { timeout: 0 })
    const failure = connection.fetch('select pg_sleep($1)', [60])
    await expect(failure).rejects.toThrow(QueryTimeoutError)
    await expect(failure).rejects.toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('200 ms'),
    })
    expect(await isSleeping()).toBe(false)
    expect(await connection.fetchVal('select 1', [], { timeout: 0 })).toBe(1)
  })

  it('a time-out of the call goes before that of the connection, and 0 is no limit', async () => {
    connection = await connect(dsn, { commandTimeout: '100ms' })
    await connection.fetch('select pg_sleep(0.3)', [], { timeout: 0 })
    await connection.fetch('select pg_sleep(0.3)', [], { timeout: '10s' })
    await expect(connection.execute('select pg_sleep(60)', [], { timeout: 50 })).rejects.toThrow(
      QueryTimeoutError,
    )
    await expect(connection.fetch('select 1', [], { timeout: 'soon' })).rejects.toThrow(
      /timeout: "soon" is not a duration/,
    )
  })

  it('an aborted signal cancels the statement, and the call rejects with its reason', async () => {
    connection = await connect(dsn)
    const controller = new AbortController()
    const reason = new Error('the caller has left')
    const sleeping = connection.fetch('select pg_sleep(60)', [], { signal: controller.signal })
    sleeping.catch(() => {})
    await until('the statement runs', isSleeping)
    controller.abort(reason)
    await expect(sleeping).rejects.toBe(reason)
    expect(await isSleeping()).toBe(false)
    expect(await connection.fetchVal('select 1')).toBe(1)
    await expect(connection.fetch('select 1', [], { signal: controller.signal })).rejects.toBe(reason)
  })

  it.for([
    ['is cancelled', async () => {}],
    ['is lost with its connection', () => connection.terminate()],
  ] as const)('an abort with the reason null rejects with null where the statement %s', async ([, then]) => {
    connection = await connect(dsn)
    const controller = new AbortController()
    const sleeping = connection.fetch('select pg_sleep(60)', [], { signal: controller.signal })
    const ends = sleeping.catch((reason: unknown) => ({ reason }))
    await until('the statement runs', isSleeping)
    controller.abort(null)
    await then()
    expect(await ends).toEqual({ reason: null })
  })

  it('one that waits behind another is dropped unsent, or cancelled when its turn comes', async () => {
    connection = await connect(dsn)
    await connection.execute('create table if not exists written (n int)')
    await connection.execute('truncate written')
    await connection.execute('insert into written values ($1)', [0])
    const controller = new AbortController()
    const first = connection.fetchVal('select 1 -- prepared first, so what follows waits')
    const unsent = connection.execute('insert into written values ($1)', [1], { signal: controller.signal })
    controller.abort(new Error('not wanted'))
    await expect(unsent).rejects.toThrow('not wanted')
    await first
    const waits = 'select pg_advisory_xact_lock(1)'
    await connection.fetch(waits)
    const holder = await connect(dsn)
    await holder.execute('begin')
    await holder.fetch(waits)
    const head = connection.fetch(waits)
    const behind = connection.fetch(waits, [], { timeout: 50 })
    const after = connection.fetchVal('select count(*)::int from written')
    await expect(behind).rejects.toMatchObject({ code: 'ROCKPOOL_QUERY_TIMEOUT', outcome: 'unknown' })
    await holder.close()
    await head
    expect(await after).toBe(1)
  })

  it('a cancel never visibly reaches a neighbour: 100 races with the end of a statement', async () => {
    connection = await connect(dsn)
    for (let i = 0; i < 100; i++) {
      const raced = connection.fetch('select pg_sleep(0.002)', [], { timeout: 1 + (i % 4) })
      const neighbour = connection.fetchVal('select $1::int', [i])
      await raced.catch((error) => expect(error).toBeInstanceOf(QueryTimeoutError))
      expect(await neighbour).toBe(i)
      expect(await connection.fetchVal('select $1::int', [i])).toBe(i)
    }
  })

  it('a cancel that has no effect within cancelTimeout closes the connection', async () => {
    connection = await connect(dsn, { cancelTimeout: '300ms' })
    const { processId } = connection
    await connection.fetch('select 1')
    process.kill(processId, 'SIGSTOP')
    onTestFinished(() => void process.kill(processId, 'SIGCONT'))
    const failure = connection.fetch('select 1', [], { timeout: '500ms' })
    await expect(failure).rejects.toMatchObject({ code: 'ROCKPOOL_QUERY_TIMEOUT', outcome: 'unknown' })
    await until('the connection is closed', () => connection.isClosed)
    await expect(connection.fetch('select 1')).rejects.toMatchObject({ outcome: 'not-sent' })
  })

  it('over TLS the cancel goes over TLS', async () => {
    connection = await connect(server.dsn, { ssl: 'require', database: server.databases.tlsOnly })
    await expect(connection.fetch('select pg_sleep(60)', [], { timeout: 100 })).rejects.toThrow(
      QueryTimeoutError,
    )
    expect(await connection.fetchVal('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).toBe(true)
  })

  it('close lets what runs end; terminate does not', async () => {
    connection = await connect(dsn)
    const finishing = connection.fetchVal('select 1 from pg_sleep(0.2)')
    await connection.close()
    expect(await finishing).toBe(1)
    await expect(connection.fetch('select 1')).rejects.toThrow(
      'cannot call Connection.fetch(): connection is closed',
    )
    connection = await connect(dsn)
    const cut = connection.fetch('select pg_sleep(60)')
    cut.catch(() => {})
    await until('the statement runs', isSleeping)
    await connection.terminate()
    await expect(cut).rejects.toMatchObject({ code: 'ROCKPOOL_CONNECTION_LOST', outcome: 'unknown' })
    await until('the server has stopped it', async () => !(await isSleeping()))
    await expect(connection.transaction(async () => {})).rejects.toThrow(InterfaceError)
  })
})
