import { expect, it } from 'vitest'
import { adminQuery, backends, freshDatabase } from '../../test/support/servers.ts'
import { until } from '../../test/support/until.ts'
import { compare, renderComparison } from '../src/comparison.ts'

it('the comparison has both sides at each number of callers, every answer checked, and leaves nothing behind', async () => {
  const dsn = await freshDatabase()
  const report = await compare(dsn, {
    seconds: 0.02,
    rounds: 2,
    signal: new AbortController().signal,
    callers: [1, 3],
  })

  expect(report.comparisons.map(({ callers }) => callers)).toEqual([1, 3])
  const sides = report.comparisons.flatMap(({ withoutPool, withPool }) => [withoutPool, withPool])
  for (const side of sides) {
    expect(side.requests).toBeGreaterThan(0)
    expect(side.rate).toBeGreaterThan(0)
    expect(side.p99).toBeGreaterThanOrEqual(side.p50)
  }
  expect(report.checked).toBe(sides.reduce((sum, { requests }) => sum + requests, 0))

  const lines = renderComparison(report).split('\n')
  expect(lines[0]).toMatch(/^callers +by +requests\/s +p50 ms +p99 ms +gain/)
  expect(
    lines.filter((line) => /^ +\d+ +a connection for each request( +[\d,.]+){3}$/.test(line)),
  ).toHaveLength(2)
  expect(
    lines.filter((line) => /^ +the pool \(10 to 20\)( +[\d,.]+){3} +[\d.]+× \(/.test(line)),
  ).toHaveLength(2)

  expect(
    await adminQuery(dsn, "select nspname from pg_namespace where nspname like 'rockpool_bench%'"),
  ).toEqual([])
  await until('no backend is left', async () => (await backends(dsn)).length === 0)
})
