import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, createPool, DataError, InterfaceError } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('a prepared statement on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    const setup = await connect(dsn)
    await setup.execute('create table tasks (id int primary key, title text not null)')
    await setup.close()
  })

  beforeEach(async () => {
    connection = await connect(dsn)
  })

  afterEach(() => connection.close())

  const onServer = async (name: string) =>
    (await connection.fetchVal('select count(*)::int from pg_prepared_statements where name = $1', [
      name,
    ])) === 1

  it('runs as often as one likes, with each of the calls of a connection', async () => {
    const statement = await connection.prepare('select n, n * $1::int as m from generate_series(1, 3) n')
    expect(statement.statusMessage).toBeNull()
    expect(await statement.fetch([2])).toEqual([
      { n: 1, m: 2 },
      { n: 2, m: 4 },
      { n: 3, m: 6 },
    ])
    expect(statement.statusMessage).toBe('SELECT 3')
    expect(await statement.fetch([3], { rowMode: 'array' })).toEqual([
      [1, 3],
      [2, 6],
      [3, 9],
    ])
    expect(await statement.fetchRow([5])).toEqual({ n: 1, m: 5 })
    expect(await statement.fetchVal([5])).toBe(1)
    expect(await statement.query([1])).toMatchObject({ rowCount: 3, command: 'SELECT' })
    expect(await statement.execute([1])).toBe('SELECT 3')
  })

  it('tells its text, its parameters and its columns, without having run', async () => {
    const statement = await connection.prepare('select $1::int + 1 as a, $2::text[] as "b c"')
    expect(statement.sql).toBe('select $1::int + 1 as a, $2::text[] as "b c"')
    expect(statement.parameters.map(({ oid }) => oid)).toEqual([23, 1009])
    expect(statement.parameters[0]).toEqual({ oid: 23, name: 'int4' })
    expect(statement.attributes).toMatchObject([
      { name: 'a', type: { oid: 23, name: 'int4' } },
      { name: 'b c', type: { oid: 1009 } },
    ])
    const silent = await connection.prepare("insert into tasks values (1, 'x')")
    expect(silent.attributes).toEqual([])
    expect(await connection.fetch('select * from tasks')).toEqual([])
  })

  it('executeMany runs it for each list, all or none', async () => {
    const insert = await connection.prepare('insert into tasks values ($1, $2)')
    await insert.executeMany([
      [1, 'a'],
      [2, 'b'],
    ])
    await expect(
      insert.executeMany([
        [3, 'c'],
        [1, 'again'],
      ]),
    ).rejects.toMatchObject({ condition: 'unique_violation', index: 1 })
    expect(await connection.fetchVal('select count(*)::int from tasks')).toBe(2)
    await connection.execute('truncate tasks')
  })

  it('errors are those of a connection, and it can be used again', async () => {
    const statement = await connection.prepare('select 10 / $1::int')
    await expect(statement.fetchVal([0])).rejects.toMatchObject({
      condition: 'division_by_zero',
      outcome: 'failed',
    })
    await expect(statement.fetchVal(['x'])).rejects.toThrow(DataError)
    await expect(statement.fetchVal([1, 2])).rejects.toMatchObject({ outcome: 'not-sent' })
    await expect(statement.fetchVal(1 as never)).rejects.toThrow(/must be an array/)
    await expect(statement.fetch([1], { rowMode: 'map' as never })).rejects.toThrow(/rowMode/)
    expect(await statement.fetchVal([5])).toBe(2)
    await expect(connection.prepare('select nothing from nowhere')).rejects.toMatchObject({
      condition: 'undefined_table',
    })
    await expect(connection.prepare('select 1; select 2')).rejects.toMatchObject({
      condition: 'syntax_error',
    })
  })

  it('a time-out and a signal end its run, and it can be used again', async () => {
    const statement = await connection.prepare('select pg_sleep($1::int)')
    await expect(statement.fetch([60], { timeout: 50 })).rejects.toMatchObject({
      code: 'ROCKPOOL_QUERY_TIMEOUT',
    })
    const reason = new Error('not wanted')
    await expect(statement.fetch([60], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await statement.execute([0])).toBe('SELECT 1')
  })

  it('stays prepared whatever the cache lets go, and after DEALLOCATE ALL is prepared again under its name', async () => {
    await connection.close()
    connection = await connect(dsn, { statementCacheSize: 1 })
    const statement = await connection.prepare('select $1::int')
    for (let i = 0; i < 5; i++) await connection.fetchVal(`select ${i}`)
    expect(await onServer(statement.name)).toBe(true)
    await connection.execute('deallocate all')
    expect(await onServer(statement.name)).toBe(false)
    expect(await statement.fetchVal([7])).toBe(7)
    expect(await onServer(statement.name)).toBe(true)
  })

  it('outdated by DDL it is prepared again, unseen, and tells its new columns', async () => {
    await connection.execute('create table shape (a int)')
    await connection.execute('insert into shape values (1)')
    const statement = await connection.prepare('select * from shape')
    expect(await statement.fetch()).toEqual([{ a: 1 }])
    await connection.execute("alter table shape add column b text default 'x'")
    expect(await Promise.all([statement.fetch(), statement.fetch()])).toEqual([
      [{ a: 1, b: 'x' }],
      [{ a: 1, b: 'x' }],
    ])
    expect(statement.attributes.map(({ name }) => name)).toEqual(['a', 'b'])
    await connection.execute('drop table shape')
  })

  it('close ends it on the server; every later call rejects, and a second close does nothing', async () => {
    const statement = await connection.prepare('select 1')
    expect(await onServer(statement.name)).toBe(true)
    await statement.close()
    await statement.close()
    expect(await onServer(statement.name)).toBe(false)
    await expect(statement.fetch()).rejects.toThrow(
      'cannot call PreparedStatement.fetch(): the statement is closed',
    )
    await expect(statement.cursor().fetch(1)).rejects.toThrow(InterfaceError)
  })

  it('explain gives the plan, for its arguments', async () => {
    const statement = await connection.prepare('select * from tasks where id = $1')
    const [plan] = (await statement.explain([1])) as [{ Plan: Record<string, unknown> }]
    expect(plan.Plan['Relation Name']).toBe('tasks')
    expect(plan.Plan).not.toHaveProperty('Actual Rows')
  })

  it('explain with analyze runs the statement, and what it did is rolled back', async () => {
    const insert = await connection.prepare('insert into tasks values ($1, $2)')
    const [plan] = (await insert.explain([100, 'x'], { analyze: true })) as [
      { Plan: Record<string, unknown> },
    ]
    expect(plan.Plan).toHaveProperty('Actual Rows')
    expect(connection.isInTransaction).toBe(false)
    expect(await connection.fetchVal('select count(*)::int from tasks')).toBe(0)
    await connection.transaction(async (tx) => {
      await tx.execute("insert into tasks values (1, 'kept')")
      const inside = await tx.prepare('delete from tasks')
      await inside.explain([], { analyze: true })
      await expect(inside.explain([1], { analyze: true })).rejects.toThrow(InterfaceError)
      expect(await tx.fetchVal('select count(*)::int from tasks')).toBe(1)
    })
    await connection.execute('truncate tasks')
  })

  it('explain with analyze undoes itself and nothing else, whatever is asked for at once', async () => {
    const insert = await connection.prepare("insert into tasks values (100, 'x')")
    const ids = async () =>
      (await connection.fetch<{ id: number }>('select id from tasks')).map(({ id }) => id)
    const explain = () => insert.explain([], { analyze: true })
    await Promise.all([
      connection.execute('begin'),
      connection.execute("insert into tasks values (1, 'a')"),
      explain(),
      connection.execute("insert into tasks values (2, 'b')"),
    ])
    expect(await ids()).toEqual([1, 2])
    await Promise.all([connection.execute('commit'), explain()])
    expect(connection.isInTransaction).toBe(false)
    expect(await ids()).toEqual([1, 2])
    await Promise.all([connection.execute('begin'), connection.execute('rollback'), explain()])
    expect(await ids()).toEqual([1, 2])
    const mine = new Error('mine')
    const [rejected] = await Promise.allSettled([
      connection.transaction(async (tx) => {
        await tx.execute("insert into tasks values (5, 'e')")
        await tx.execute("insert into tasks values (6, 'f')")
        throw mine
      }),
      explain(),
    ])
    expect(rejected).toMatchObject({ reason: mine })
    expect(await ids()).toEqual([1, 2])
    await connection.execute('truncate tasks')
  })

  it('R8: explain with analyze whose time is over behind another statement is told at once, and nothing of it runs', async () => {
    const insert = await connection.prepare("insert into tasks values (100, 'x')")
    const told: string[] = []
    const sleeping = connection.execute('select pg_sleep(0.5)').then(() => told.push('slept'))
    await expect(insert.explain([], { analyze: true, timeout: 50 })).rejects.toMatchObject({
      code: 'ROCKPOOL_QUERY_TIMEOUT',
      outcome: 'not-sent',
    })
    told.push('timed out')
    await sleeping
    expect(told).toEqual(['timed out', 'slept'])
    await connection.transaction((tx) => tx.execute("insert into tasks values (1, 'a')"))
    expect(await connection.fetchVal('select count(*)::int from tasks')).toBe(1)
    const reason = new Error('not wanted')
    await expect(insert.explain([], { analyze: true, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    await connection.execute('truncate tasks')
  })

  it('explain with analyze in a failed transaction rejects as PostgreSQL says, and works behind it', async () => {
    const insert = await connection.prepare("insert into tasks values (100, 'x')")
    await connection.execute('begin')
    const [failed, explained, , again] = await Promise.allSettled([
      connection.execute('select 1/0'),
      insert.explain([], { analyze: true }),
      connection.execute('rollback'),
      insert.explain([], { analyze: true }),
    ])
    expect(failed).toMatchObject({ reason: { sqlState: '22012' } })
    expect(explained).toMatchObject({ reason: { sqlState: '25P02' } })
    expect(again.status).toBe('fulfilled')
    expect(await connection.fetchVal('select count(*)::int from tasks')).toBe(0)
  })

  it('of a transaction it ends with the transaction', async () => {
    const { statement, name } = await connection.transaction(async (tx) => {
      const statement = await tx.prepare('select 1 as one')
      expect(await statement.fetchVal()).toBe(1)
      return { statement, name: statement.name }
    })
    await expect(statement.fetch()).rejects.toThrow(
      'cannot call PreparedStatement.fetch(): its transaction has ended',
    )
    expect(await onServer(name)).toBe(false)
  })

  it('in a failed transaction its calls reject as PostgreSQL says', async () => {
    const statement = await connection.prepare('select 1')
    await connection.execute('begin')
    await expect(connection.execute('select 1/0')).rejects.toThrow('division by zero')
    const later = await Promise.allSettled([
      statement.fetch(),
      statement.fetchVal(),
      connection.prepare('select 2'),
    ])
    expect(later).toMatchObject([
      { reason: { sqlState: '25P02', outcome: 'failed' } },
      { reason: { sqlState: '25P02', outcome: 'failed' } },
      { reason: { sqlState: '25P02', outcome: 'failed' } },
    ])
    await connection.execute('rollback')
    expect(await statement.fetchVal()).toBe(1)
  })

  it('calls at once are answered in their order, other calls between them', async () => {
    const insert = await connection.prepare('insert into tasks values ($1, $2)')
    const results = await Promise.all([
      insert.execute([1, 'a']),
      connection.fetchVal('select count(*)::int from tasks'),
      insert.execute([2, 'b']),
      connection.fetchVal('select count(*)::int from tasks'),
      connection.execute('truncate tasks'),
    ])
    expect(results).toEqual(['INSERT 0 1', 1, 'INSERT 0 1', 2, 'TRUNCATE TABLE'])
  })

  it('R6: every method rejects once its connection was released', async () => {
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const lent = await pool.acquire()
    const statement = await lent.prepare('select $1::int as n')
    const cursor = statement.cursor([1])
    await lent.release()
    const calls: [string, Promise<unknown>][] = [
      ['fetch', statement.fetch([1])],
      ['fetchRow', statement.fetchRow([1])],
      ['fetchVal', statement.fetchVal([1])],
      ['query', statement.query([1])],
      ['execute', statement.execute([1])],
      ['executeMany', statement.executeMany([[1]])],
      ['explain', statement.explain([1])],
    ]
    for (const [method, call] of calls) {
      await expect(call).rejects.toThrow(
        `cannot call PreparedStatement.${method}(): connection has been released back to the pool`,
      )
    }
    await expect(cursor.fetch(1)).rejects.toThrow(/Cursor.fetch\(\): connection has been released/)
    await expect(lent.prepare('select 1')).rejects.toThrow(/Connection.prepare\(\): connection has been/)
    const left = await pool.fetchVal('select count(*)::int from pg_prepared_statements where name = $1', [
      statement.name,
    ])
    expect(left).toBe(0)
    await pool.close()
  })

  it('with statementCacheSize 0 nothing of it stays on the server', async () => {
    await connection.close()
    connection = await connect(dsn, { statementCacheSize: 0 })
    const statement = await connection.prepare('select $1::int as n')
    expect(statement.name).toBe('')
    expect(statement.parameters).toEqual([{ oid: 23, name: 'int4' }])
    expect(await connection.fetchVal('select 5')).toBe(5)
    expect(await Promise.all([statement.fetchVal([1]), statement.fetchVal([2])])).toEqual([1, 2])
    expect(
      await connection.fetchVal("select count(*)::int from pg_prepared_statements where name <> ''"),
    ).toBe(0)
  })
})

describe.for(servers())('a connection to PostgreSQL $major', (server) => {
  let connection: Connection

  beforeAll(async () => {
    connection = await connect(await freshDatabase(server))
  })

  afterAll(() => connection.close())

  it('tells its server’s version, of which major and minor name a feature release', () => {
    expect(connection.serverVersion).toMatchObject({ major: server.major, minor: 0, releaseLevel: 'final' })
  })

  it('tells the settings that the server reports, and they cannot be changed there', async () => {
    expect(connection.settings).toMatchObject({ client_encoding: 'UTF8', TimeZone: 'UTC' })
    await connection.execute("set timezone to 'Europe/Vienna'")
    expect(connection.settings.TimeZone).toBe('Europe/Vienna')
    expect(() => Object.assign(connection.settings, { TimeZone: 'UTC' })).toThrow(TypeError)
  })

  it('tells whether it is inside a transaction', async () => {
    expect(connection.isInTransaction).toBe(false)
    await connection.execute('begin')
    expect(connection.isInTransaction).toBe(true)
    await connection.execute('select 1/0').catch(() => {})
    expect(connection.isInTransaction).toBe(true)
    await connection.execute('rollback')
    expect(connection.isInTransaction).toBe(false)
  })
})
