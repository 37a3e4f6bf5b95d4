import { getEventListeners, once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect, createPool, InterfaceError, QueryTimeoutError } from '../../src/index.ts'
import { adminQuery, backends, freshDatabase, servers, sleepers } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

/** An output that keeps what it is given. */
function collector() {
  const chunks: Buffer[] = []
  return {
    output: (chunk: Buffer) => {
      chunks.push(chunk)
    },
    text: () => Buffer.concat(chunks).toString(),
  }
}

const endless = 'select n, repeat(n::text, 50) from (select generate_series(1, 100000000) as n) s'

describe.for(servers())('COPY to an output on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
    await connection.execute(`create table fruits (id int, name text, "Sh""ape" text);
      insert into fruits values (1, 'apple', 'round'), (2, 'ba,na"na', null), (3, E'a\\tb\\\\', '');
      create schema other; create table other.fruits (id int); insert into other.fruits values (7)`)
  })

  afterAll(() => connection.terminate())

  /** The session answers, and nothing of this connection is still at work. */
  const expectUsable = async () => {
    expect(await connection.fetchVal('select 42')).toBe(42)
    const [backend] = await backends(dsn)
    expect(backend?.state).toBe('idle')
  }

  it('a table goes to a function, chunk by chunk, and the call gives the command tag', async () => {
    const { output, text } = collector()
    expect(await connection.copyFromTable('fruits', { output })).toBe('COPY 3')
    expect(text()).toBe('1\tapple\tround\n2\tba,na"na\t\\N\n3\ta\\tb\\\\\t\n')
  })

  it('columns and schema are chosen, and quoted', async () => {
    const first = collector()
    await connection.copyFromTable('fruits', { output: first.output, columns: ['Sh"ape', 'id'] })
    expect(first.text()).toBe('round\t1\n\\N\t2\n\t3\n')
    const second = collector()
    expect(await connection.copyFromTable('fruits', { output: second.output, schema: 'other' })).toBe(
      'COPY 1',
    )
    expect(second.text()).toBe('7\n')
  })

  it('every option of the format reaches the server', async () => {
    const { output, text } = collector()
    await connection.copyFromTable('fruits', {
      ...{ output, format: 'csv', delimiter: ';', null: 'nil"\\', header: true, quote: "'", escape: '\\' },
      ...{ forceQuote: ['name'], encoding: 'UTF8', columns: ['id', 'name', 'Sh"ape'] },
    })
    expect(text()).toBe(`id;name;Sh"ape\n1;'apple';round\n2;'ba,na"na';nil"\\\n3;'a\tb\\\\';\n`)
    const all = collector()
    await connection.copyFromQuery('select 1, true', [], {
      output: all.output,
      format: 'csv',
      forceQuote: '*',
    })
    expect(all.text()).toBe('"1","t"\n')
    const binary: Buffer[] = []
    await connection.copyFromQuery('select 7', [], { output: (c) => binary.push(c), format: 'binary' })
    expect(Buffer.concat(binary).toString('latin1')).toMatch(/^PGCOPY\n\xff/)
  })

  it('a stream is written to, ended, and waited for', async () => {
    const path = join(await temporaryFolder(), 'fruits.csv')
    await connection.copyFromTable('fruits', { output: createWriteStream(path), format: 'csv' })
    expect(await readFile(path, 'utf8')).toBe('1,apple,round\n2,"ba,na""na",\n3,a\tb\\,""\n')
    expect(await connection.copyToTable('fruits', { source: createReadStream(path), format: 'csv' })).toBe(
      'COPY 3',
    )
    await connection.execute(
      'delete from fruits where ctid not in (select min(ctid) from fruits group by id)',
    )
  })

  it("a query's arguments become literals of their types, where they are parameters and nowhere else", async () => {
    const { output, text } = collector()
    const sql = `select $1 || '$1 '' $2', $2 + 1, E'\\'$1', "a$1", $$ $1 $$, $4::int[] /* $1 /* */ $1 */, $3::text -- $1
      from (select 1 as "a$1") s`
    const tag = await connection.copyFromQuery(sql, [`it's \\ "x"; --`, 41, null, [1, null]], { output })
    expect(tag).toBe('COPY 1')
    expect(text()).toBe(`it's \\\\ "x"; --$1 ' $2\t42\t'$1\t1\t $1 \t{1,NULL}\t\\N\n`)
  })

  it('arguments keep their types and lose nothing', async () => {
    const values = [true, 1.5, Buffer.from([0, 92, 255]), new Date(0), '101', 'x  ', '0.10', ['a"b', "c'"]]
    const casts = ['bool', 'float8', 'bytea', 'timestamptz', 'bit varying', 'bpchar', 'numeric', 'text[]']
    const list = casts.map(
      (cast, i) => `$${i + 1}::${cast} = $${i + 1} and pg_typeof($${i + 1}) = '${cast}'::regtype`,
    )
    const { output, text } = collector()
    await connection.copyFromQuery(`select ${list.join(', ')}`, values, { output })
    expect(text()).toBe(`${values.map(() => 't').join('\t')}\n`)
    const bits = collector()
    await connection.copyFromQuery('select $1::bit(3)', ['101'], { output: bits.output })
    expect(bits.text()).toBe('101\n')
  })

  it('with standard_conforming_strings off a backslash still cannot end a string early', async () => {
    await connection.execute('set standard_conforming_strings = off; set escape_string_warning = off')
    const { output, text } = collector()
    await connection.copyFromQuery("select 'a\\'$1', $1::text", ["\\'"], { output })
    expect(text()).toBe("a'$1\t\\\\'\n")
    await connection.execute('reset standard_conforming_strings; reset escape_string_warning')
  })

  it('{ text, values } is taken, and a wrong number of arguments is refused', async () => {
    const { output, text } = collector()
    await connection.copyFromQuery({ text: 'select $1::int -- the end', values: [5] }, undefined, { output })
    expect(text()).toBe('5\n')
    await expect(connection.copyFromQuery('select $1::int', [1, 2], { output })).rejects.toMatchObject({
      message: 'copyFromQuery(): the query takes 1 arguments, and 2 were given',
      outcome: 'not-sent',
    })
  })

  it('what cannot be is refused before anything is sent', async () => {
    const { output } = collector()
    const refused = (call: Promise<unknown>, message: RegExp) =>
      expect(call).rejects.toMatchObject({
        code: 'ROCKPOOL_INTERFACE',
        outcome: 'not-sent',
        message: expect.stringMatching(message),
      })
    await refused(connection.copyFromTable('t', { output: 'a.csv' as never }), /output must be a Writable/)
    await refused(connection.copyFromTable('t', { output, format: 'xml' as never }), /format must be/)
    await refused(connection.copyFromTable('t', { output, oids: true } as never), /unknown option "oids"/)
    await refused(
      connection.copyFromTable('t', { output, encoding: 'latin1' }),
      /encoding: the data is UTF-8/,
    )
    await refused(connection.copyFromTable('t', { output, columns: [] }), /columns must be an array/)
    await refused(connection.copyFromTable(7 as never, { output }), /the table must be its name/)
    await refused(connection.copyFromTable('t\0', { output }), /zero character/)
  })

  it("the server's refusal rejects the call, and the connection is usable", async () => {
    const output = new PassThrough()
    await expect(connection.copyFromTable('nowhere', { output })).rejects.toMatchObject({
      condition: 'undefined_table',
      outcome: 'failed',
    })
    expect(output.destroyed).toBe(true)
    await expectUsable()
    const { output: kept, text } = collector()
    await expect(
      connection.copyFromQuery('select 1 / (5000 - n) from generate_series(1, 10000) n', [], {
        output: kept,
      }),
    ).rejects.toMatchObject({ condition: 'division_by_zero' })
    expect(text().startsWith('0\n')).toBe(true)
    await expectUsable()
  })

  it('the server waits for a slow output: what it does not take is not read', async () => {
    let given = 0
    let release = () => {}
    const hold = new Promise<void>((resolve) => {
      release = resolve
    })
    const copying = connection.copyFromQuery(
      'select repeat($1, 1000) from generate_series(1, 20000)',
      ['x'],
      {
        output: async (chunk) => {
          given += chunk.length
          await hold
        },
      },
    )
    await until('the server is stuck in writing', async () => {
      const waits = await adminQuery<{ event: string }>(
        dsn,
        "select wait_event as event from pg_stat_activity where query ilike 'copy%' and datname = current_database()",
      )
      return waits.some(({ event }) => event === 'ClientWrite')
    })
    expect(given).toBeLessThan(300_000)
    release()
    expect(await copying).toBe('COPY 20000')
    expect(given).toBe(20_000 * 1001)
  })

  it('an output that throws cancels the COPY on the server', async () => {
    const failure = new Error('the disk is full')
    let calls = 0
    const copying = connection.copyFromQuery(endless, [], {
      output: () => {
        if (++calls === 3) throw failure
      },
    })
    await expect(copying).rejects.toBe(failure)
    await expectUsable()
  })

  it('a stream that fails cancels the COPY, also while the server has nothing to give', async () => {
    const failure = new Error('the pipe broke')
    const output = new Writable({ write: (_chunk, _encoding, done) => done(failure) })
    await expect(connection.copyFromQuery(endless, [], { output })).rejects.toBe(failure)
    await expectUsable()
    const waiting = new PassThrough()
    const copying = connection.copyFromQuery('select pg_sleep(60)', [], { output: waiting })
    copying.catch(() => {})
    await until('it runs', async () => (await sleepers(dsn)).length > 0)
    waiting.destroy(failure)
    await expect(copying).rejects.toBe(failure)
    await expectUsable()
  })

  it('R8: a time-out and an abort cancel it on the server, however slow the output is', async () => {
    const never = () => new Promise<void>(() => {})
    await expect(connection.copyFromQuery(endless, [], { output: never, timeout: 100 })).rejects.toThrow(
      QueryTimeoutError,
    )
    await expectUsable()
    const controller = new AbortController()
    const reason = new Error('not wanted any more')
    const output = new PassThrough()
    const copying = connection.copyFromQuery(endless, [], { output, signal: controller.signal })
    output.once('data', () => controller.abort(reason))
    await expect(copying).rejects.toBe(reason)
    expect(output.destroyed).toBe(true)
    await expectUsable()
    await expect(
      connection.copyFromTable('fruits', { output: never, signal: controller.signal }),
    ).rejects.toBe(reason)
  })

  it('what never reaches the server destroys its stream as well', async () => {
    const aborted = AbortSignal.abort(new Error('before'))
    const failing: ((output: Writable) => Promise<string>)[] = [
      (output) => connection.copyFromTable('a\0b', { output }),
      (output) => connection.copyFromTable('fruits', { output, signal: aborted }),
      (output) => connection.copyFromQuery('select $1::int from nowhere', [1], { output }),
      (output) => connection.copyFromQuery('select $1::int', ['no int'], { output }),
    ]
    for (const copy of failing) {
      const output = new PassThrough()
      await expect(copy(output)).rejects.toThrow()
      if (!output.destroyed) await once(output, 'close')
    }
    const sources: ((source: PassThrough) => Promise<string>)[] = [
      (source) => connection.copyToTable('a\0b', { source }),
      (source) => connection.copyToTable('fruits', { source, signal: aborted }),
      (source) => connection.copyRecordsToTable('nowhere', { records: source }),
    ]
    for (const copy of sources) {
      const source = new PassThrough()
      await expect(copy(source)).rejects.toThrow()
      expect(source.destroyed).toBe(true)
    }
    const refused = new PassThrough()
    await expect(connection.copyFromTable('fruits', { output: refused, timeout: -1 })).rejects.toThrow()
    expect(refused.destroyed).toBe(false)
  })

  it('a signal that lives longer keeps nothing of it, and another one than a signal is refused', async () => {
    const { signal } = new AbortController()
    const kept = () =>
      Object.getOwnPropertySymbols(signal)
        .map((symbol) => (signal as unknown as Record<symbol, unknown>)[symbol])
        .map((value) => (value instanceof Set || value instanceof Map ? value.size : 0))
    const before = kept()
    for (let i = 0; i < 5; i++) await connection.copyFromTable('fruits', { output: () => {}, signal })
    await expect(connection.copyFromTable('nowhere', { output: () => {}, signal })).rejects.toThrow()
    expect(kept()).toEqual(before)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await expect(
      connection.copyFromTable('fruits', { output: () => {}, signal: {} as AbortSignal }),
    ).rejects.toThrow('signal: must be an AbortSignal')
  })

  it('R6: a release cancels it, and the next owner finds the connection as new', async () => {
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const held = await pool.acquire()
    const { processId } = held
    const copying = held.copyFromQuery(endless, [], { output: () => new Promise<void>(() => {}) })
    copying.catch(() => {})
    await until('it runs', async () => (await backends(dsn)).some(({ query }) => /^copy/i.test(query)))
    await held.release()
    await expect(copying).rejects.toThrow(/released back to the pool before this statement ended/)
    await expect(held.copyFromTable('fruits', { output: () => {} })).rejects.toThrow(
      'cannot call Connection.copyFromTable(): connection has been released back to the pool',
    )
    expect(await pool.fetchVal('select pg_backend_pid()')).toBe(processId)
    await pool.terminate()
  })

  it('calls beside it are answered in their order', async () => {
    const { output, text } = collector()
    const [before, tag, after] = await Promise.all([
      connection.fetchVal('select 1'),
      connection.copyFromTable('fruits', { output, columns: ['id'] }),
      connection.fetchVal('select 2'),
    ])
    expect([before, tag, after, text()]).toEqual([1, 'COPY 3', 2, '1\n2\n3\n'])
  })

  it('over TLS and in a transaction it is the same', async () => {
    const encrypted = await connect(dsn, { ssl: 'require' })
    const output = new PassThrough()
    const copied = text(output)
    await encrypted.transaction(async (tx) => {
      await tx.execute('create temp table numbers on commit drop as select generate_series(1, 200000) as n')
      expect(await tx.copyFromTable('numbers', { output })).toBe('COPY 200000')
    })
    expect((await copied).split('\n').length).toBe(200_001)
    await encrypted.close()
  })

  it('methods that are not for COPY refuse it, and the connection lives', async () => {
    for (const sql of ['copy fruits to stdout', 'copy fruits from stdin']) {
      await expect(connection.execute(sql)).rejects.toThrow(InterfaceError)
      await expect(connection.fetch(sql)).rejects.toThrow(InterfaceError)
      const [refused, beside] = await Promise.allSettled([
        connection.execute(sql),
        connection.fetchVal('select 1'),
      ])
      expect([refused.status, beside]).toEqual(['rejected', { status: 'fulfilled', value: 1 }])
    }
    await expectUsable()
  })
})
