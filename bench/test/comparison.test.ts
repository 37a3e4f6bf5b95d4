import { expect, it } from 'vitest'
import { adminQuery, backends, freshDatabase } from '../../test/support/servers.ts'
import { until } from '../../test/support/until.ts'
import { compare, renderComparison } from '../src/comparison.ts'
import { nodePostgres } from '../src/peers/pg.ts'
import { rockpool } from '../src/peers/rockpool.ts'
import { race, renderRace } from '../src/race.ts'
import { TaskById } from '../src/workloads/task-by-id.ts'

const briefly = { seconds: 0.02, rounds: 2, signal: new AbortController().signal }

const schemas = (dsn: string) =>
  adminQuery(dsn, "select nspname from pg_namespace where nspname like 'rockpool_bench%'")

it('the comparison has both sides at each number of callers, every answer checked, and leaves nothing behind', async () => {
  const dsn = await freshDatabase()
  const report = await compare(dsn, { ...briefly, callers: [1, 3] })

  expect(report.comparisons.map(({ callers }) => callers)).toEqual([1, 3])
  const sides = report.comparisons.flatMap(({ withoutPool, withPool }) => [withoutPool, withPool])
  for (const side of sides) {
    expect(side.requests).toBeGreaterThan(0)
    expect(side.rate).toBeGreaterThan(0)
    expect(side.p99).toBeGreaterThanOrEqual(side.p50)
  }
  const requests = sides.reduce((sum, side) => sum + side.requests, 0)
  expect(report.checked).toBeGreaterThan(requests)

  const lines = renderComparison(report).split('\n')
  expect(lines[0]).toMatch(/^callers +by +requests\/s +p50 ms +p99 ms +gain/)
  expect(
    lines.filter((line) => /^ +\d+ +a connection for each request( +[\d,.]+){3}$/.test(line)),
  ).toHaveLength(2)
  expect(
    lines.filter((line) => /^ +the pool \(10 to 20\)( +[\d,.]+){3} +[\d.]+× \(/.test(line)),
  ).toHaveLength(2)

  expect(await schemas(dsn)).toEqual([])
  await until('no backend is left', async () => (await backends(dsn)).length === 0)
})

it('the race has a line for each peer at each number of callers', async () => {
  const dsn = await freshDatabase()
  const peers = [...nodePostgres, ...rockpool]
  const workload = await TaskById.create(dsn)
  const laps = await race(dsn, peers, workload, { ...briefly, callers: [1, 2], connections: 2 })
  await workload.drop()

  const rounds = laps.flatMap((lap) => lap.rounds.flat())
  expect(rounds).toHaveLength(2 * peers.length * briefly.rounds)
  expect(rounds.every(({ requests }) => requests > 0)).toBe(true)
  expect(workload.checked).toBeGreaterThan(rounds.reduce((sum, { requests }) => sum + requests, 0))

  const table = renderRace(peers, laps)
  for (const { name } of peers) expect(table.split(`  ${name}  `)).toHaveLength(3)
  expect(await schemas(dsn)).toEqual([])
  await until('no backend is left', async () => (await backends(dsn)).length === 0)
})

it.for([
  ['no row', null],
  ['nothing', undefined],
  ["another task's id", { id: 2, title: 'task 1' }],
  ["another task's title", { id: 1, title: 'task 2' }],
])('%s instead of the asked task is an error', async ([, row]) => {
  const workload = await TaskById.create(await freshDatabase())
  const client = { fetchRow: async () => row, close: async () => {} }
  await expect(workload.request(client)).rejects.toThrow('asked for task 1, the answer was')
  expect(workload.checked).toBe(0)
  await workload.drop()
})
