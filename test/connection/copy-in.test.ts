import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, createPool, QueryTimeoutError } from '../../src/index.ts'
import { adminQuery, backends, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

describe.for(servers())('COPY from a source on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
    await connection.execute(
      'create table fruits (id int, name text); create schema other; create table other."Fru""its" (id int, name text)',
    )
  })

  beforeEach(() => connection.execute('truncate fruits'))

  afterAll(() => connection.terminate())

  const rows = () => connection.fetch('select * from fruits order by id', [], { rowMode: 'array' })

  const expectUsable = async () => {
    expect(await connection.fetchVal('select 42')).toBe(42)
    const [backend] = await backends(dsn)
    expect(backend?.state).toBe('idle')
  }

  const isWaiting = async (event: string) => {
    const waits = await adminQuery<{ event: string }>(
      dsn,
      "select wait_event as event from pg_stat_activity where query ilike 'copy%' and datname = current_database()",
    )
    return waits.some((wait) => wait.event === event)
  }

  it.for([
    ['an array of strings', () => ['1\tap', 'ple\n2\t\\N', '\n']],
    ['a generator of Buffers', () => [Buffer.from('1\tapple\n'), Buffer.from('2\t\\N\n')].values()],
    [
      'an async generator',
      async function* () {
        yield '1\tapple\n'
        await new Promise(setImmediate)
        yield new Uint8Array(Buffer.from('2\t\\N'))
      },
    ],
    ['a Readable', () => Readable.from(['1\tapple\n2\t\\N\n'])],
    ['a web stream', () => new Blob(['1\tapple\n2\t\\N\n']).stream()],
  ] as [string, () => Iterable<string>][])('%s is taken', async ([, source]) => {
    const given = typeof source === 'function' ? source() : source
    expect(await connection.copyToTable('fruits', { source: given })).toBe('COPY 2')
    expect(await rows()).toEqual([
      [1, 'apple'],
      [2, null],
    ])
  })

  it('an empty source copies nothing', async () => {
    expect(await connection.copyToTable('fruits', { source: [] })).toBe('COPY 0')
    expect(await connection.copyToTable('fruits', { source: ['', Buffer.alloc(0)] })).toBe('COPY 0')
  })

  it('columns, schema, the format and where reach the server', async () => {
    const tag = await connection.copyToTable('Fru"its', {
      ...{ source: ["name;id\n'a;\\'b';1\n'nil';2\nnil;3\n"], schema: 'other', columns: ['name', 'id'] },
      ...{
        format: 'csv',
        delimiter: ';',
        header: 'match',
        quote: "'",
        escape: '\\',
        null: 'nil',
        encoding: 'utf8',
      },
      ...{ forceNull: ['name'], where: 'id <> 3' },
    })
    expect(tag).toBe('COPY 2')
    expect(await connection.fetch('select id, name from other."Fru""its" order by id')).toEqual([
      { id: 1, name: "a;'b" },
      { id: 2, name: null },
    ])
    await connection.transaction(async (tx) => {
      await tx.execute('create temp table fresh (a text, b text) on commit drop')
      const options = { source: ['x,\n'], format: 'csv', freeze: true, forceNotNull: ['b'] } as const
      expect(await tx.copyToTable('fresh', options)).toBe('COPY 1')
      expect(await tx.fetchRow('select * from fresh')).toEqual({ a: 'x', b: '' })
    })
  })

  it('what is long is cut into pieces, and what is short is sent together', async () => {
    const long = 'x'.repeat(3_000_000)
    const lines = Array.from({ length: 50_000 }, (_, i) => `${i + 2}\tn${i}\n`)
    expect(await connection.copyToTable('fruits', { source: [`1\t${long}\n`, ...lines] })).toBe('COPY 50001')
    expect(await connection.fetchVal('select length(name) from fruits where id = 1')).toBe(3_000_000)
    expect(await connection.fetchVal('select count(distinct name)::int from fruits')).toBe(50_001)
  })

  it('what is no source, or gives no data, is refused', async () => {
    const refused = (source: unknown, message: RegExp) =>
      expect(connection.copyToTable('fruits', { source: source as never })).rejects.toMatchObject({
        code: 'ROCKPOOL_INTERFACE',
        message: expect.stringMatching(message),
      })
    await refused('fruits.csv', /pass createReadStream\(path\)/)
    await refused(Buffer.from('1\ta\n'), /for data \[data\]/)
    await refused({}, /must be a Readable/)
    await refused(['1\ta\n', 7], /a value of type number at index 1/)
    expect(await rows()).toEqual([])
    await expectUsable()
  })

  it("the server's refusal rejects the call, closes the source, and leaves no row", async () => {
    const source = new PassThrough()
    await expect(connection.copyToTable('nowhere', { source })).rejects.toMatchObject({
      condition: 'undefined_table',
      outcome: 'failed',
    })
    expect(source.destroyed).toBe(true)
    let closed = 0
    function* endless() {
      try {
        for (let i = 0; ; i++) yield i === 5000 ? 'no number\tx\n' : `${i}\tx\n`
      } finally {
        closed++
      }
    }
    await expect(connection.copyToTable('fruits', { source: endless() })).rejects.toMatchObject({
      condition: 'invalid_text_representation',
    })
    expect(closed).toBe(1)
    expect(await rows()).toEqual([])
    await expectUsable()
  })

  it('a source that throws fails the COPY on the server, and the call rejects with its error', async () => {
    const failure = new Error('the source dried up')
    function* broken() {
      yield '1\tapple\n'
      throw failure
    }
    await expect(connection.copyToTable('fruits', { source: broken() })).rejects.toBe(failure)
    const missing = createReadStream(join(await temporaryFolder(), 'missing.csv'))
    await expect(connection.copyToTable('fruits', { source: missing })).rejects.toMatchObject({
      code: 'ENOENT',
    })
    const stream = new PassThrough()
    const copying = connection.copyToTable('fruits', { source: stream })
    copying.catch(() => {})
    stream.write('1\tapple\n')
    await until('the server waits for data', () => isWaiting('ClientRead'))
    stream.destroy(failure)
    await expect(copying).rejects.toBe(failure)
    expect(await rows()).toEqual([])
    await expectUsable()
  })

  it('a stream that fails while the COPY waits for its turn does not hurt the process', async () => {
    const source = new PassThrough()
    const sleeping = connection.fetch('select pg_sleep(0.2)')
    const copying = connection.copyToTable('fruits', { source })
    source.destroy(new Error('too early'))
    await sleeping
    await expect(copying).rejects.toThrow('too early')
    await expectUsable()
  })

  it('in a transaction a failed COPY fails the transaction', async () => {
    const failure = connection.transaction(async (tx) => {
      await tx.execute("insert into fruits values (1, 'apple')")
      await tx.copyToTable('fruits', { source: ['bad\n'] })
    })
    await expect(failure).rejects.toMatchObject({ sqlState: '22P02' })
    expect(await rows()).toEqual([])
  })

  it('a source is asked for more only while the server takes it', async () => {
    const blocker = await connect(dsn)
    await connection.execute(
      `create or replace function stall() returns trigger language plpgsql as $$ begin
         perform pg_advisory_xact_lock(1); return new; end $$;
       create trigger stall before insert on fruits for each row execute function stall()`,
    )
    await blocker.fetchVal('select pg_advisory_lock(1)')
    let asked = 0
    function* lines() {
      for (let i = 0; i < 30_000; i++) {
        asked++
        yield `${i}\t${'x'.repeat(1000)}\n`
      }
    }
    const copying = connection.copyToTable('fruits', { source: lines() })
    await until('the server is stuck', () => isWaiting('advisory'))
    let seen = -1
    await until('no more is asked for', async () => {
      const isStill = seen === asked
      seen = asked
      await isWaiting('advisory')
      return isStill
    })
    expect(asked).toBeLessThan(20_000)
    await blocker.close()
    expect(await copying).toBe('COPY 30000')
    await connection.execute('drop trigger stall on fruits')
  })

  it('R8: a time-out and an abort end it, whether the server waits for data or works on it', async () => {
    const silent = new PassThrough()
    await expect(connection.copyToTable('fruits', { source: silent, timeout: 100 })).rejects.toThrow(
      QueryTimeoutError,
    )
    expect(silent.destroyed).toBe(true)
    await expectUsable()
    await connection.execute(
      `create function doze() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return new; end $$;
       create trigger doze before insert on fruits for each row execute function doze()`,
    )
    const controller = new AbortController()
    const reason = new Error('not wanted any more')
    const copying = connection.copyToTable('fruits', { source: ['1\ta\n'], signal: controller.signal })
    copying.catch(() => {})
    await until('the trigger sleeps', () => isWaiting('PgSleep'))
    controller.abort(reason)
    await expect(copying).rejects.toBe(reason)
    await connection.execute('drop trigger doze on fruits')
    await expectUsable()
  })

  it('R6: a release ends it, and the next owner finds the connection as new', async () => {
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const held = await pool.acquire()
    const { processId } = held
    const source = new PassThrough()
    const copying = held.copyToTable('fruits', { source })
    copying.catch(() => {})
    source.write('1\ta\n')
    await until('the server waits for data', () => isWaiting('ClientRead'))
    await held.release()
    await expect(copying).rejects.toThrow(/released back to the pool before this statement ended/)
    expect(source.destroyed).toBe(true)
    expect(await pool.fetchVal('select pg_backend_pid()')).toBe(processId)
    expect(await pool.fetchVal('select count(*)::int from fruits')).toBe(0)
    await pool.terminate()
  })

  it('R14: a connection that dies rejects it and closes the source', async () => {
    const own = await connect(dsn)
    const source = new PassThrough()
    const copying = own.copyToTable('fruits', { source })
    copying.catch(() => {})
    await until('the server waits for data', () => isWaiting('ClientRead'))
    await adminQuery(dsn, 'select pg_terminate_backend($1)', [own.processId])
    source.write('1\ta\n')
    await expect(copying).rejects.toMatchObject({ code: 'ROCKPOOL_CONNECTION_LOST', outcome: 'unknown' })
    expect(source.destroyed).toBe(true)
  })

  it('calls beside it are answered in their order, also those that the source itself makes', async () => {
    const results: unknown[] = []
    function* source() {
      results.push(connection.fetchVal('select 2'))
      yield '1\tapple\n'
    }
    const first = connection.fetchVal('select 1')
    const copying = connection.copyToTable('fruits', { source: source() })
    const last = connection.fetchVal('select count(*)::int from fruits')
    expect(await Promise.all([first, copying, last])).toEqual([1, 'COPY 1', 1])
    expect(await Promise.all(results)).toEqual([2])
  })

  it('over TLS it is the same', async () => {
    const encrypted = await connect(dsn, { ssl: 'require' })
    const lines = Array.from({ length: 100_000 }, (_, i) => `${i}\tn${i}\n`)
    expect(await encrypted.copyToTable('fruits', { source: lines })).toBe('COPY 100000')
    await encrypted.close()
  })
})
