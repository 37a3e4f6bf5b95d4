import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { DataError, PoolTimeoutError, PostgresError, QueryTimeoutError } from '../../../src/index.ts'
import { now } from '../clock.ts'
import { limits } from '../pool-plans.ts'
import { violate } from './link.ts'
import type { Operation, Stage } from './operation.ts'

/** An answer that was never asked for, or is somebody else's. */
function expectAnswer(asked: string, answer: unknown, expected: unknown): void {
  try {
    assert.deepEqual(answer, expected)
  } catch {
    violate('answers', `${asked}: ${JSON.stringify(answer)} in place of ${JSON.stringify(expected)}`)
  }
}

const echoText = `select $1::int as n, $2::text as t, $3::timestamptz as at, $4::jsonb as j, $5::numeric as d,
  $6::bytea as b, $7::int[] as l`

async function echo({ pool, random, impatience }: Stage): Promise<void> {
  const n = random.below(2 ** 31)
  const row = {
    n,
    t: `«${n}» ${'ä'.repeat(random.below(50))}`,
    at: new Date(n * 1_000),
    j: { n, list: [1, null, 'x'] },
    d: `${n}.${String(n % 1_000).padStart(3, '0')}`,
    b: Buffer.alloc(random.below(100), n),
    l: [n, null, -1],
  }
  expectAnswer('echo', await pool.fetchRow(echoText, Object.values(row), impatience.options), row)
}

async function manyRows({ pool, random, impatience }: Stage): Promise<void> {
  const n = 1 + random.below(1_500)
  const text = "select n, repeat('x', n % 50) as t from generate_series(1, $1::int) n"
  const rows = await pool.fetch(text, [n], impatience.options)
  expectAnswer('many rows', [rows.length, rows.at(-1)], [n, { n, t: 'x'.repeat(n % 50) }])
}

/** DDL changes the table's columns all the time, and nobody sees it but by them (R20). */
async function changingTable({ pool, random, impatience }: Stage): Promise<void> {
  const id = 1 + random.below(100)
  const row = await pool.fetchRow('select * from shapes where id = $1', [id], impatience.options)
  expectAnswer('a changing table', [row?.id, row?.label], [id, `shape ${id}`])
}

async function failing({ pool, random, impatience }: Stage): Promise<void> {
  const [text, condition] = random.pick([
    ['select 1 / $1::int', 'division_by_zero'],
    ['insert into uniques values ($1::int + 1)', 'unique_violation'],
    ['select $1::int from nowhere', 'undefined_table'],
    ['selec $1', 'syntax_error'],
  ] as const)
  const answer = await pool.execute(text, [0], impatience.options).catch((error: unknown) => error)
  if (answer instanceof PostgresError && answer.condition === condition) return
  if (answer instanceof Error) throw answer
  violate('answers', `${text} answered ${JSON.stringify(answer)} in place of ${condition}`)
}

async function unencodable({ pool, impatience }: Stage): Promise<void> {
  const answer = await pool
    .fetchVal('select $1::int', ['x'], impatience.options)
    .catch((error: unknown) => error)
  if (answer instanceof DataError) return
  if (answer instanceof Error) throw answer
  violate('answers', `'x' was taken for an int: ${JSON.stringify(answer)}`)
}

async function slow({ pool, random, impatience }: Stage): Promise<void> {
  await pool.execute('select pg_sleep($1)', [random.below(50) / 1_000], impatience.options)
}

/** Longer than a call's time-out a caller waits for its connection's cancel and end at most. */
const afterTimeout = limits.cancelTimeout + limits.closeTimeout + 500

/** R8: the caller hears of its time-out in time. */
async function tooSlow({ pool, random, lag }: Stage): Promise<void> {
  const timeout = 20 + random.below(100)
  const [began, lost] = [now(), lag.lost]
  const answer = await pool.execute('select pg_sleep(9)', [], { timeout }).catch((error: unknown) => error)
  const took = now() - began - (lag.lost - lost)
  if (took > timeout + afterTimeout) violate('I2', `a time-out of ${timeout} ms was told after ${took} ms`)
  if (answer instanceof QueryTimeoutError || answer instanceof PoolTimeoutError) return
  if (answer instanceof Error) throw answer
  violate('R8', `pg_sleep(9) answered ${JSON.stringify(answer)} within ${timeout} ms`)
}

async function copyOut({ pool, random, impatience }: Stage): Promise<void> {
  const n = 1 + random.below(5_000)
  let lines = 0
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      for (const byte of chunk) if (byte === 0x0a) lines++
      if (random.chance(20)) setImmediate(done)
      else done()
    },
  })
  const tag = await pool.use((connection) =>
    connection.copyFromQuery('select n, $2::text from generate_series(1, $1::int) n', [n, 'text'], {
      output,
      ...impatience.options,
    }),
  )
  expectAnswer('COPY out', [tag, lines], [`COPY ${n}`, n])
}

async function cursor({ pool, random, impatience }: Stage): Promise<void> {
  const n = 1 + random.below(400)
  const stopAt = random.chance(30) ? 1 + random.below(n) : n
  await pool.transaction(async (tx) => {
    let rows = 0
    const options = { prefetch: 1 + random.below(100), ...impatience.options }
    for await (const { n: number } of tx.cursor<{ n: number }>(
      'select n from generate_series(1, $1::int) n',
      [n],
      options,
    )) {
      if (number !== ++rows) violate('answers', `a cursor gave row ${number} as its ${rows}th`)
      if (rows === stopAt) break
    }
    expectAnswer('a cursor', rows, stopAt)
  })
}

async function prepared({ pool, random, impatience }: Stage): Promise<void> {
  await pool.use(async (connection) => {
    const statement = await connection.prepare('select $1::int * 2 as twice', impatience.options)
    for (let runs = random.below(4); runs > 0; runs--) {
      const n = random.below(1_000_000)
      expectAnswer('a prepared statement', await statement.fetchVal([n], impatience.options), 2 * n)
    }
    if (random.chance(50)) await statement.close()
  })
}

/** What changes nothing that lasts; each answer is looked at. */
export const reads: readonly Operation[] = [
  { name: 'echo', weight: 15, run: echo },
  { name: 'many rows', weight: 4, run: manyRows },
  { name: 'read of a changing table', weight: 8, run: changingTable },
  { name: 'statement that fails', weight: 4, run: failing },
  { name: 'argument that does not fit', weight: 1, run: unencodable },
  { name: 'slow statement', weight: 4, run: slow },
  { name: 'statement that times out', weight: 2, run: tooSlow },
  { name: 'COPY out', weight: 3, run: copyOut },
  { name: 'cursor', weight: 4, run: cursor },
  { name: 'prepared statement', weight: 4, run: prepared },
]
