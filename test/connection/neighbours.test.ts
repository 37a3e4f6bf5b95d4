import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { firstWord, isPlainQuery } from '../../src/connection/sql/first-word.ts'
import { type Connection, connect } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

describe('the first word of a statement', () => {
  it.for<[sql: string, word: string]>([
    ['select 1', 'select'],
    ['  \n\tSELECT 1', 'select'],
    ['-- a\n-- b\n call p()', 'call'],
    ['/* a /* b */ c */ Do $$ $$', 'do'],
    ['((select 1) union (select 2))', 'select'],
    ['--\rbegin', 'begin'],
    ['--\rcommit /*\nselect */', 'commit'],
    [';begin', 'begin'],
    [' ; /* a */ ; -- b\n;listen', 'listen'],
    ['/* never ends', ''],
    ['', ''],
    ['"quoted"', ''],
  ])('of %j is %j', ([sql, word]) => {
    expect(firstWord(sql)).toBe(word)
  })

  it('tells plain queries from what may commit, or copy', () => {
    for (const sql of [
      'with a as (select 1) table a',
      'values (1)',
      'merge into t using s on true',
      '/* x */ insert',
    ]) {
      expect(isPlainQuery(sql)).toBe(true)
    }
    for (const sql of [
      '/* x */ call p()',
      'do $$ $$',
      'begin',
      'copy t from stdin',
      'explain analyze call p()',
      '--\rcommit /*\nselect */',
      '',
    ]) {
      expect(isPlainQuery(sql)).toBe(false)
    }
  })
})

describe.for(servers())('a cancel never visibly reaches a neighbour (R8) on PostgreSQL $major:', (server) => {
  let connection: Connection

  beforeEach(async () => {
    connection = await connect(await freshDatabase(server))
    await connection.execute(`create table k (n int);
      create procedure p() language plpgsql as $$ begin insert into k values (1); commit; perform pg_sleep(0.003); end $$`)
  })

  afterEach(() => connection.terminate())

  /** Aborts a statement of `ms` near its end, with the neighbour right behind it; tells how that went. */
  const race = async (neighbour: () => Promise<unknown>, ms: number) => {
    const controller = new AbortController()
    const raced = connection.fetch('select pg_sleep($1::float8)', [ms / 1000], { signal: controller.signal })
    const beside = neighbour()
    setTimeout(() => controller.abort(new Error('left')), ms)
    await raced.catch(() => {})
    return beside
  }

  it('not a CALL that commits, behind a comment or not: it is run once', async () => {
    for (let i = 0; i < 40; i++) await race(() => connection.fetch('/* x */ call p()'), 2 + (i % 3))
    expect(await connection.fetchVal('select count(*)::int from k')).toBe(40)
  })

  it('not statements of the simple protocol', async () => {
    for (let i = 0; i < 40; i++) {
      expect(await race(() => connection.execute('select pg_sleep(0.003)'), 2 + (i % 3))).toBe('SELECT 1')
    }
  })

  it('not a DO block', async () => {
    for (let i = 0; i < 40; i++) {
      await race(() => connection.fetch('do $$ begin perform pg_sleep(0.003); end $$'), 2 + (i % 3))
    }
  })

  it('not a statement of the same transaction, where the aborted one had ended', async () => {
    for (let i = 0; i < 40; i++) {
      const controller = new AbortController()
      await connection
        .transaction(async (tx) => {
          const raced = tx.fetch('select pg_sleep(0.002)', [], { signal: controller.signal })
          const beside = tx.fetchVal<string>('select pg_sleep(0.002)::text')
          setTimeout(() => controller.abort(new Error('left')), 2 + (i % 3))
          const [, second] = await Promise.allSettled([raced, beside])
          if (second.status === 'rejected') {
            // The aborted one was cancelled, so that the transaction failed.
            expect(second.reason).toMatchObject({ condition: 'in_failed_sql_transaction' })
          }
        })
        .catch(() => {})
    }
  })
})

describe('commands on one connection', () => {
  let connection: Connection

  beforeEach(async () => {
    connection = await connect(await freshDatabase())
    await connection.execute('create table k (n int primary key deferrable initially deferred)')
  })

  afterEach(() => connection.terminate())

  it('a COPY that is refused does not hurt what was called behind it', async () => {
    for (const copy of ['copy k from stdin', '/* x */ copy k from stdin', 'copy k to stdout']) {
      const both = await Promise.allSettled([connection.execute(copy), connection.fetchVal('select 1')])
      expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
      const again = await Promise.allSettled([connection.fetch(copy), connection.execute('select 1')])
      expect(again.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    }
  })

  it('a call that its own argument aborts is not sent', async () => {
    const controller = new AbortController()
    const argument = {
      toJSON: () => {
        controller.abort(new Error('aborted inside'))
        return 1
      },
    }
    const sql = 'insert into k select ($1::jsonb)::text::int + 100'
    await connection.execute(sql, [1])
    const call = connection.execute(sql, [argument], { signal: controller.signal })
    await expect(call).rejects.toThrow('aborted inside')
    expect(await connection.fetchVal('select count(*)::int from k')).toBe(1)
  })

  it('what the server rolled back is told as failed, though its answer could not be read either', async () => {
    await connection.execute('insert into k values (1)')
    await expect(
      connection.fetch('insert into k values (1) returning 9007199254740993::int8 as big'),
    ).rejects.toMatchObject({
      condition: 'unique_violation',
      outcome: 'failed',
      cause: expect.objectContaining({ code: 'ROCKPOOL_DATA' }),
    })
  })

  it('a transaction whose BEGIN ran out of time does not stay open', async () => {
    const limited = await connect(await freshDatabase(), { commandTimeout: '100ms' })
    await limited.execute('create table k (n int)', [], { timeout: 0 })
    const blocking = limited.fetch('select pg_sleep(0.3)', [], { timeout: 0 })
    await expect(limited.transaction((tx) => tx.execute('insert into k values (1)'))).rejects.toMatchObject({
      code: 'ROCKPOOL_QUERY_TIMEOUT',
    })
    await blocking
    await limited.execute('insert into k values (2)', [], { timeout: 0 })
    expect(limited.isInTransaction).toBe(false)
    await limited.close()
  })

  it('one whose connection was lost says so, and not that it was misused', async () => {
    await connection.execute('select pg_terminate_backend(pg_backend_pid())').catch(() => {})
    await expect(connection.fetch('select 1')).rejects.toMatchObject({
      code: 'ROCKPOOL_CONNECTION_LOST',
      outcome: 'not-sent',
    })
  })
})
