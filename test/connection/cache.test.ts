import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Statement } from '../../src/connection/statements/statement.ts'
import {
  StatementCache,
  type StatementCacheSettings,
} from '../../src/connection/statements/statement-cache.ts'
import { type Connection, connect, InterfaceError } from '../../src/index.ts'
import { TypeConfiguration, TypeRegistry } from '../../src/wire/codecs/index.ts'
import { OutBuffer } from '../../src/wire/out-buffer.ts'
import { RowShapes } from '../../src/wire/row-shape.ts'
import { freshDatabase, servers } from '../support/servers.ts'

const formats = { types: new TypeRegistry(new TypeConfiguration(), () => {}), shapes: new RowShapes() }

/** A cache on a clock of its own. */
function cacheOf(changes: Partial<StatementCacheSettings> = {}) {
  const clock = { now: 0 }
  const cache = new StatementCache({ size: 3, lifetime: 0, largest: 0, ...changes }, () => clock.now)
  const keep = (sql: string) => {
    const statement = new Statement(sql, cache.nameFor(sql), [], [], formats)
    cache.add(statement)
    return statement
  }
  /** The names of the statements that the next message closes. */
  const closed = () => {
    const out = new OutBuffer()
    cache.writeLeaving(out)
    cache.haveLeft()
    return [
      ...out
        .take()
        .toString('latin1')
        .matchAll(/S(rockpool_\d+)\0/g),
    ].map(([, name]) => name)
  }
  return { clock, cache, keep, closed }
}

describe('R20: the statement cache', () => {
  it('lets the least recently used statement go, and closes it with the next message', () => {
    const { cache, keep, closed } = cacheOf()
    const [a, b, c] = ['a', 'b', 'c'].map(keep)
    expect(cache.get('a')).toBe(a)
    keep('d')
    expect(cache.get('b')).toBeUndefined()
    expect(closed()).toEqual([b!.name])
    expect(closed()).toEqual([])
    keep('e')
    expect(closed()).toEqual([c!.name])
    expect(cache.size).toBe(3)
    expect(cache.get('a')).toBe(a)
  })

  it('a statement is prepared anew once its lifetime is over, however often it was used', () => {
    const { clock, cache, keep, closed } = cacheOf({ lifetime: 1000 })
    const first = keep('a')
    clock.now = 999
    expect(cache.get('a')).toBe(first)
    clock.now = 1000
    expect(cache.get('a')).toBeUndefined()
    expect(closed()).toEqual([first.name])
    const second = keep('a')
    expect(second.name).not.toBe(first.name)
    clock.now = 1999
    expect(cache.get('a')).toBe(second)
  })

  it('a lifetime of 0 is no limit', () => {
    const { clock, cache, keep } = cacheOf({ lifetime: 0 })
    const statement = keep('a')
    clock.now = 1e12
    expect(cache.get('a')).toBe(statement)
  })

  it('does not keep a text longer than it may be; 0 is no limit', () => {
    const limited = cacheOf({ largest: 10 })
    expect(limited.cache.keeps('x'.repeat(10))).toBe(true)
    expect(limited.cache.keeps('x'.repeat(11))).toBe(false)
    expect(limited.keep('x'.repeat(11)).name).toBe('')
    expect(limited.cache.size).toBe(0)
    expect(cacheOf({ largest: 0 }).cache.keeps('x'.repeat(1e6))).toBe(true)
  })

  it('of size 0 keeps nothing', () => {
    const { cache, keep, closed } = cacheOf({ size: 0 })
    expect(keep('a').name).toBe('')
    expect(cache.get('a')).toBeUndefined()
    expect(cache.pin().name).toBe('')
    expect(closed()).toEqual([])
  })

  it('what is pinned stays until it is let go, and is prepared again under its name', () => {
    const { cache, keep, closed } = cacheOf({ size: 1 })
    const pinned = cache.pin()
    const statement = new Statement('p', pinned.nameFor(), [], [], formats)
    pinned.add(statement)
    for (const sql of ['a', 'b', 'c']) keep(sql)
    closed()
    expect(pinned.get()).toBe(statement)
    cache.clear()
    expect(pinned.get()).toBeUndefined()
    expect(closed()).toContain(pinned.name)
    pinned.add(statement)
    cache.unpin(pinned)
    expect(closed()).toEqual([pinned.name])
    pinned.add(statement)
    expect(closed()).toEqual([pinned.name])
  })
})

describe.for(servers())('R20: statements kept on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn, {
      statementCacheSize: 3,
      maxCacheableStatementSize: 100,
      maxCachedStatementLifetime: '100ms',
    })
  })

  afterEach(() => connection.close())

  const kept = async () => {
    const rows = await connection.fetch<{ statement: string }>(
      'select statement from pg_prepared_statements order by prepare_time',
    )
    return rows.map(({ statement }) => statement)
  }

  it('are never more than the cache’s size', async () => {
    for (let i = 0; i < 10; i++) await connection.fetchVal(`select ${i}`)
    expect(await kept()).toEqual(['select 8', 'select 9', expect.stringMatching(/^select statement/)])
  })

  it('a text longer than maxCacheableStatementSize is prepared for each run', async () => {
    const long = `select ${'1 + '.repeat(50)}$1::int`
    expect(await connection.fetchVal(long, [1])).toBe(51)
    expect(await Promise.all([connection.fetchVal(long, [2]), connection.fetchVal(long, [3])])).toEqual([
      52, 53,
    ])
    expect(await kept()).not.toContain(long)
  })

  describe('one that leaves while the arguments of its next run are made ready is prepared again', () => {
    const sql = 'select $1::jsonb, $2::int'
    type Run = (args: unknown[]) => Promise<unknown>
    type Runner = (connection: Connection) => Run | Promise<Run>

    const runners: [name: string, runner: Runner][] = [
      ['fetch', (one) => (args) => one.fetch(sql, args)],
      ['executeMany', (one) => (args) => one.executeMany(sql, [args])],
      [
        'of prepare()',
        async (one) => {
          const statement = await one.prepare(sql)
          return (args) => statement.fetch(args)
        },
      ],
    ]
    const meanwhile: [name: string, call: (connection: Connection, run: Run) => Promise<unknown>][] = [
      ['another one needs its place', (one) => one.fetch('select 1')],
      ['all are deallocated', (one) => one.execute('deallocate all')],
      ['it is prepared anew', (_, run) => run([1, 'no int']).catch(() => {})],
    ]

    it.for(
      runners.flatMap(([name, runner]) => meanwhile.map(([what, call]) => ({ name, runner, what, call }))),
    )('$name: $what', async ({ runner, call }) => {
      const one = await connect(dsn, { statementCacheSize: 1 })
      const run = await runner(one)
      await run([1, 1])
      let beside: Promise<unknown> | undefined
      const argument = {
        toJSON: () => {
          beside ??= call(one, run)
          return 1
        },
      }
      await one.transaction(() => run([argument, 1]))
      await beside
      expect(
        await one.fetchVal('select count(*)::int from pg_prepared_statements where statement = $1', [sql]),
      ).toBeLessThanOrEqual(1)
      await one.close()
    })
  })

  it('stay where a COPY was refused by a method that is not for it', async () => {
    await connection.execute('create table fruits (id int)')
    await connection.fetch('select 7')
    await expect(connection.fetch('copy fruits from stdin')).rejects.toThrow(InterfaceError)
    await expect(connection.fetch('copy fruits from stdin')).rejects.toThrow(InterfaceError)
    expect(await kept()).toContain('select 7')
  })

  it('the same text of two calls at once is prepared once', async () => {
    await Promise.all(Array.from({ length: 5 }, (_, i) => connection.fetchVal('select $1::int', [i])))
    expect((await kept()).filter((sql) => sql === 'select $1::int').length).toBe(1)
  })
})
