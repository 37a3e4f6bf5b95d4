import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, QueryTimeoutError } from '../../src/index.ts'
import { temporaryFolder } from '../connection/support/temporary-folder.ts'
import { freshDatabase, servers } from '../support/servers.ts'

const large =
  "select repeat('a' || i, 500000) as a, repeat('b' || i, 500000) as b from generate_series(1, 5) i"
const largeText = [1, 2, 3, 4, 5]
  .map((i) => `${`a${i}`.repeat(500_000)}\t${`b${i}`.repeat(500_000)}\n`)
  .join('')
const lines = 'a1\tb1\t1\na2\tb2\t2\n*\t\\N\t\\N\n'

describe.for(servers())('COPY as asyncpg tests it, on PostgreSQL $major', (server) => {
  let connection: Connection
  const chunks: Buffer[] = []
  const output = (chunk: Buffer) => void chunks.push(Buffer.from(chunk))
  const written = () => Buffer.concat(chunks.splice(0)).toString()

  beforeEach(async () => {
    connection = await connect(await freshDatabase(server))
    await connection.execute('create table tab (a text, "b~" text, i int)')
    chunks.length = 0
  })

  afterEach(() => connection.terminate())

  it('rows of a megabyte come whole, from a table and from a query, and go in again', async () => {
    await connection.execute(`create table large as ${large}`)
    expect(await connection.copyFromTable('large', { output })).toBe('COPY 5')
    expect(written() === largeText).toBe(true)
    expect(await connection.copyFromQuery(large, [], { output })).toBe('COPY 5')
    const text = written()
    expect(text === largeText).toBe(true)
    await connection.execute('truncate large')
    expect(await connection.copyToTable('large', { source: [text] })).toBe('COPY 5')
    expect(
      await connection.fetchVal('select count(*)::int from large where length(a) + length(b) = 2000000'),
    ).toBe(5)
  })

  it('files are read and written as streams', async () => {
    const folder = await temporaryFolder()
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    await writeFile(from, lines)
    expect(await connection.copyToTable('tab', { source: createReadStream(from) })).toBe('COPY 3')
    expect(await connection.copyFromTable('tab', { output: createWriteStream(to) })).toBe('COPY 3')
    expect(await readFile(to, 'utf8')).toBe(lines)
    const query = connection.copyFromQuery('select i, $2::text from tab where i = $1', [2, null], {
      output: createWriteStream(to),
    })
    expect(await query).toBe('COPY 1')
    expect(await readFile(to, 'utf8')).toBe('2\t\\N\n')
  })

  it('csv goes both ways with every option, whatever the search_path', async () => {
    await connection.copyToTable('tab', { source: [lines] })
    await connection.execute('set search_path = none')
    const format = {
      columns: ['a', 'b~'],
      schema: 'public',
      format: 'csv',
      delimiter: '|',
      null: 'n-u-l-l',
      header: true,
      quote: '*',
      escape: '!',
    } as const
    await connection.copyFromTable('tab', { ...format, output, forceQuote: ['a'] })
    expect(written()).toBe('a|b~\n*a1*|b1\n*a2*|b2\n*!**|n-u-l-l\n')
    await connection.execute('truncate public.tab')
    const source = ['a|b~\n*a1*|b1\n*!**|*n-u-l-l*\nn-u-l-l|bb']
    await connection.copyToTable('tab', { ...format, source, forceNotNull: ['a'], forceNull: ['b~'] })
    expect(
      await connection.fetch('select a, "b~" as b from public.tab order by a', [], { rowMode: 'array' }),
    ).toEqual([
      ['*', null],
      ['a1', 'b1'],
      ['n-u-l-l', 'bb'],
    ])
  })

  it('bytes and views of bytes are a source', async () => {
    const bytes = Buffer.from('--a\tb\t1\n--').subarray(2, -2)
    expect(await connection.copyToTable('tab', { source: [bytes, new Uint8Array(bytes)] })).toBe('COPY 2')
  })

  it('R8: a caller that leaves while the server makes its rows has it cancelled', async () => {
    const slow = 'select pg_sleep(60) from generate_series(1, 10)'
    const left = new Error('left')
    const controller = new AbortController()
    const copying = connection.copyFromQuery(slow, [], { output, signal: controller.signal })
    setImmediate(() => controller.abort(left))
    await expect(copying).rejects.toBe(left)
    await expect(connection.copyFromQuery(slow, [], { output, timeout: 50 })).rejects.toThrow(
      QueryTimeoutError,
    )
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('R8: a source or an output that never goes on is left at the time-out', async () => {
    const never = new Promise<never>(() => {})
    async function* source() {
      yield 'a\tb\t1\n'
      await never
    }
    await expect(connection.copyToTable('tab', { source: source(), timeout: 100 })).rejects.toThrow(
      QueryTimeoutError,
    )
    const stuck = connection.copyFromQuery(large, [], { output: () => never, timeout: 100 })
    await expect(stuck).rejects.toThrow(QueryTimeoutError)
    expect(await connection.fetchVal('select count(*)::int from tab')).toBe(0)
  })

  it('records of an array, of a generator and with a condition', async () => {
    await connection.execute('create table records (a text, b int, c timestamptz)')
    const at = new Date('2026-01-02T03:04:05.678Z')
    const records = Array.from({ length: 100 }, (_, i) => [`a-${i}`, i, at] as unknown[])
    records.push(['a-100', null, null], ['b-999', null, null])
    async function* generate() {
      yield* records
    }
    expect(await connection.copyRecordsToTable('records', { records })).toBe('COPY 102')
    expect(
      await connection.copyRecordsToTable('records', { records: generate(), where: "a <> 'b-999'" }),
    ).toBe('COPY 101')
    expect(
      await connection.fetchRow('select count(*)::int, count(b)::int as b, min(c) as c from records'),
    ).toEqual({ count: 203, b: 200, c: at })
  })
})
