import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type Connection, connect, createPool, DataError } from '../../src/index.ts'
import { FaultProxy, ProtocolMessage } from '../../src/testing/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

/** More than are sent at once (1 MB), or kept while they are checked. */
const count = 25_000
const insert = 'insert into tasks values ($1, $2)'

const lists = (change: Record<number, unknown[]> = {}): unknown[][] =>
  Array.from({ length: count }, (_, id) => change[id] ?? [id, `the task with the number ${id}`])

/** A value that is JSON when it is checked, and what `later` makes of it when it is written again. */
function changing(later: () => unknown): { toJSON(): unknown } {
  let asked = 0
  return { toJSON: () => (asked++ === 0 ? 'the first time' : later()) }
}

describe.for(servers())('executeMany of more lists than are sent at once, on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
    await connection.execute('create table tasks (id int primary key, title text)')
  })

  beforeEach(() => connection.execute('truncate tasks'))

  afterAll(() => connection.terminate())

  const rows = (by = connection) =>
    by.fetchRow(`select count(*)::int as count, sum(id)::text as sum from tasks
      where title = 'the task with the number ' || id`)
  const all = { count, sum: String((count * (count - 1)) / 2) }
  const none = { count: 0, sum: null }

  it.for([
    ['where the statement is new', undefined],
    ['where it is kept', 100],
    ['where none is kept', 0],
  ] as const)('runs each once, in its order: %s', async ([, size]) => {
    await using own = await connect(dsn, size === undefined ? {} : { statementCacheSize: size })
    if (size === 100) await own.executeMany(insert, [])
    await own.execute('create temp table told (n serial, id int)')
    await own.execute(`create or replace function pg_temp.tell() returns trigger language plpgsql as
      $$ begin insert into told (id) values (new.id); return null; end $$`)
    await own.execute(
      'create trigger told after insert on tasks for each row execute function pg_temp.tell()',
    )
    onTestFinished(() => connection.execute('drop trigger if exists told on tasks').then(() => {}))
    const many = own.executeMany(insert, lists())
    const behind = own.fetchVal('select count(*)::int from tasks')
    await many
    expect(await behind).toBe(count)
    expect(await rows()).toEqual(all)
    expect(await own.fetchVal('select count(*)::int from told where id <> n - 1')).toBe(0)
    await own.execute('drop trigger told on tasks')
  })

  it('lets the event loop turn meanwhile', async () => {
    let turns = 0
    let isOver = false
    const turn = () => {
      turns++
      if (!isOver) setImmediate(turn)
    }
    const many = connection.executeMany(insert, lists())
    turn()
    await many
    isOver = true
    expect(turns).toBeGreaterThan(count / 1_000)
  })

  it('one list that does not fit is named, nothing is sent, and a transaction goes on', async () => {
    await connection.transaction(async (tx) => {
      const failure = tx.executeMany(insert, lists({ [count - 1]: [1, { no: 'text' }] }))
      await expect(failure).rejects.toThrow(DataError)
      await expect(failure).rejects.toMatchObject({
        index: count - 1,
        outcome: 'not-sent',
        message: expect.stringContaining('cannot encode $2'),
      })
      expect(await tx.fetchVal('select count(*)::int from tasks')).toBe(0)
      await tx.execute("insert into tasks values (7, 'x')")
    })
    expect(await connection.fetchVal('select id from tasks')).toBe(7)
  })

  it('one whose type has changed since the statement was prepared is written as it is now', async () => {
    await connection.executeMany(insert, [])
    await connection.execute("insert into tasks values (-1, 'x')")
    await adminQuery(dsn, 'alter table tasks alter title type int using 5')
    const numbers = lists().map(([id]) => [id, id === count - 1 ? 2n : '3'])
    const texts = lists().map(([id]) => [id, id === count - 1 ? 'x' : '3'])
    await connection.executeMany(insert, numbers)
    expect(await connection.fetchVal('select count(*)::int from tasks where title = 3')).toBe(count - 1)
    await connection.execute('truncate tasks')
    await adminQuery(dsn, 'alter table tasks alter title type text')
    await connection.executeMany(insert, texts)
    expect(await connection.fetchVal('select title from tasks where id = $1', [count - 1])).toBe('x')
  })

  it('R20: a statement that is gone is prepared again, unseen', async () => {
    await connection.executeMany(insert, [])
    await connection.execute("do $$ begin execute 'deallocate all'; end $$")
    await connection.executeMany(insert, lists())
    expect(await rows()).toEqual(all)
  })

  const refuse = () => {
    throw new Error('no JSON any more')
  }

  it.for(['outside a transaction', 'inside one'])(
    'one that has changed since it was checked fails all of them: %s',
    async (where) => {
      const given = lists({ [count - 1]: [count - 1, changing(refuse)] })
      const run = (by: Pick<Connection, 'executeMany'>) =>
        by.executeMany('insert into tasks values ($1, $2::jsonb::text)', given)
      const failure = where === 'inside one' ? connection.transaction(run) : run(connection)
      await expect(failure).rejects.toMatchObject({
        code: 'ROCKPOOL_DATA',
        index: count - 1,
        outcome: 'failed',
      })
      expect(await connection.fetchVal('select count(*)::int from tasks')).toBe(0)
    },
  )

  it("the server's refusal names the list, and none takes effect", async () => {
    for (const index of [5, count - 1]) {
      await expect(connection.executeMany(insert, lists({ [index]: [0, 'again'] }))).rejects.toMatchObject({
        condition: 'unique_violation',
        index,
        outcome: 'failed',
      })
      expect(await rows()).toEqual(none)
    }
  })

  it('R8: a caller that leaves at any moment has none of them take effect, and the connection goes on', async () => {
    await connection.executeMany(insert, [])
    const reason = new Error('enough')
    let isDone = false
    for (let turns = 0; !isDone; turns = 2 * turns + 1) {
      const leaving = new AbortController()
      const many = connection.executeMany(insert, lists(), { signal: leaving.signal })
      const outcome = many.then(
        () => 'done',
        (error: unknown) => error,
      )
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      leaving.abort(reason)
      isDone = (await outcome) === 'done'
      if (!isDone) {
        expect(await outcome).toBe(reason)
        // Who leaves at the very end may be too late.
        expect([none, all]).toContainEqual(await rows())
        await connection.execute('truncate tasks')
      }
    }
    expect(await rows()).toEqual(all)
  })

  it('R8: a caller that leaves from within an argument has none of them take effect', async () => {
    const leaving = new AbortController()
    const reason = new Error('enough')
    const leave = () => {
      leaving.abort(reason)
      return 'the last word'
    }
    const given = lists({ [count - 1]: [count - 1, changing(leave)] })
    const many = connection.executeMany('insert into tasks values ($1, $2::jsonb::text)', given, {
      signal: leaving.signal,
    })
    await expect(many).rejects.toBe(reason)
    await connection.execute('select 1')
    expect(await connection.fetchVal('select count(*)::int from tasks')).toBe(0)
  })

  it('R8: of two, the second is given up while the first still runs', async () => {
    const leaving = new AbortController()
    const first = connection.executeMany(insert, lists())
    const second = connection.executeMany(insert, lists(), { signal: leaving.signal })
    const reason = new Error('enough')
    leaving.abort(reason)
    await expect(second).rejects.toBe(reason)
    await first
    expect(await rows()).toEqual(all)
  })

  /** Whoever holds it lets no row in. */
  const lock = async () => {
    const holder = await connect(dsn)
    await holder.execute('begin; lock table tasks')
    return holder
  }

  const waitsForLock = (pid: number) =>
    until('it waits for the lock', async () => {
      const sql = `select 1 from pg_stat_activity where pid = ${pid} and wait_event_type = 'Lock'`
      return (await adminQuery(dsn, sql)).length === 1
    })

  it('a connection that is lost meanwhile rejects it', async () => {
    const own = await connect(dsn)
    const holder = await lock()
    const many = own.executeMany(insert, lists())
    const lost = expect(many).rejects.toMatchObject({ code: 'ROCKPOOL_CONNECTION_LOST', outcome: 'unknown' })
    await waitsForLock(own.processId)
    await adminQuery(dsn, `select pg_terminate_backend(${own.processId})`)
    await lost
    await holder.terminate()
    expect(await rows()).toEqual(none)
  })

  it('R6: a release cancels it, though the server has not taken all of it yet', async () => {
    await using pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const held = await pool.acquire()
    const holder = await lock()
    const many = expect(held.executeMany(insert, lists())).rejects.toThrow('released back to the pool')
    await waitsForLock(held.processId)
    void held.release()
    await many
    await holder.terminate()
    expect(await pool.fetchVal('select count(*)::int from tasks')).toBe(0)
    expect(pool.stats().totals.opened).toBe(1)
  })

  it('R7: behind a reset that fails it is not run, and goes to another connection unseen', async () => {
    const direct = new URL(dsn)
    const proxy = await FaultProxy.start({ host: direct.hostname, port: Number(direct.port) })
    onTestFinished(() => proxy.close())
    let first: unknown
    proxy.toServer.rewriteMessages((message, from) => {
      first ??= from
      const at = message.body.indexOf('DISCARD TEMP')
      if (from !== first || message.type !== 'P' || at < 0) return message
      const body = Buffer.from(message.body)
      body.write('DISCARD TOMB', at)
      return new ProtocolMessage('P', body)
    })
    const pool = await createPool(proxy.through(`${direct.href}?sslmode=disable`), { minSize: 1, maxSize: 1 })
    onTestFinished(() => pool.terminate())
    await pool.use(async (held) => {
      await held.executeMany(insert, [])
      await held.execute('create temp table secret (n int)')
    })
    await pool.use((next) => next.executeMany(insert, lists()))
    expect(await rows()).toEqual(all)
    expect(pool.stats().totals.opened).toBe(2)
  })

  it('R7: behind a reset that has to be prepared again it is written again, unseen', async () => {
    await using pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    await pool.use((held) => held.executeMany(insert, []))
    await pool.use((held) => held.execute("do $$ begin execute 'deallocate all'; end $$"))
    await pool.use((next) => next.executeMany(insert, lists()))
    expect(await rows()).toEqual(all)
    expect(pool.stats().totals.opened).toBe(1)
  })
})
