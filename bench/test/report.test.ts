import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lineChart } from '../src/report/line-chart.ts'
import { LogScale } from '../src/report/log-scale.ts'
import { benchmarksPage } from '../src/report/page.ts'
import { asText } from '../src/report/text.ts'
import { writeReport } from '../src/report/write.ts'
import { atLeast, atMost, type Finding, type Plot } from '../src/topic.ts'

const plot: Plot = {
  name: 'requests',
  title: 'Requests <by> callers',
  x: 'callers',
  y: 'requests/s',
  lines: [
    { name: 'ours & mine', points: [1, 10, 1_000].map((x) => ({ x, y: x * 500 })) },
    { name: 'theirs', points: [1, 10, 1_000].map((x) => ({ x, y: x === 10 ? Number.NaN : x * 499 })) },
  ],
}

const finding: Finding = {
  title: 'Reads',
  notes: ['One row each.'],
  tables: [
    {
      caption: 'by callers',
      columns: [
        { title: 'who', align: 'left' },
        { title: 'ms|s', align: 'right' },
      ],
      rows: [
        ['ours', '1'],
        ['theirs', '2'],
      ],
    },
  ],
  targets: [
    atLeast('reads', { median: 3, low: 2, high: 4 }, 2.5, 'theirs'),
    atMost('CPU', { median: 0.6, low: 0.5, high: 0.7 }, 0.5, 'theirs'),
  ],
  absent: [{ name: 'a third', install: 'apt-get install third' }],
  versions: { theirs: '1.2.3' },
  plots: [plot],
}

const facts = {
  date: '2026-11-23',
  rounds: 5,
  seconds: 1,
  machine: '2 processors',
  server: 'PostgreSQL 18',
  versions: finding.versions,
}

describe('a logarithmic axis', () => {
  it('goes from the 1, 2 or 5 below its values to that above them', () => {
    const scale = new LogScale([3, 40], 0, 100)
    expect(scale.ticks).toEqual([2, 5, 10, 20, 50])
    expect(scale.at(2)).toBe(0)
    expect(scale.at(50)).toBe(100)
    expect(scale.at(10)).toBeCloseTo(50)
  })

  it('may go backwards, as the ordinate of an image does', () => {
    const scale = new LogScale([1, 100], 300, 100)
    expect([1, 10, 100].map((value) => scale.at(value))).toEqual([300, 200, 100])
  })

  it('has two ends for one value', () => {
    expect(new LogScale([10], 0, 1).ticks).toEqual([10, 20])
  })

  it('has exact labels below 1', () => {
    expect(new LogScale([0.03, 0.3], 0, 1).ticks).toEqual([0.02, 0.05, 0.1, 0.2, 0.5])
  })

  it('names only the tens of many decades', () => {
    expect(new LogScale([1, 100_000], 0, 1).ticks).toEqual([1, 10, 100, 1_000, 10_000, 100_000])
  })
})

describe('a line chart', () => {
  const image = lineChart(plot)

  it('has a line for each contestant, through those of its points that were measured', () => {
    const lines = [...image.matchAll(/<polyline points="([^"]*)"/g)].map(
      ([, points]) => points!.split(' ').length,
    )
    expect(lines).toEqual([3, 2])
  })

  it('has colours for a light and a dark ground', () => {
    expect(image).toContain('prefers-color-scheme:dark')
  })

  it('writes names as text, not as markup', () => {
    expect(image).toContain('>ours &amp; mine<')
    expect(image).toContain('>Requests &lt;by&gt; callers<')
  })

  it('keeps the names of lines with the same end apart', () => {
    const at = (name: string) => Number(image.match(new RegExp(`y="([\\d.]+)">${name}`))![1])
    expect(Math.abs(at('theirs') - at('ours'))).toBeGreaterThanOrEqual(14)
  })
})

describe('a finding as text', () => {
  it('says of each target whether it is met, and of who is absent how to install it', () => {
    const text = asText(finding)
    expect(text).toContain('met      reads: 3.00× (2.00–4.00), wanted ≥ 2.5 × theirs')
    expect(text).toContain('NOT MET  CPU: 0.60× (0.50–0.70), wanted ≤ 0.5 × theirs')
    expect(text).toContain('absent: a third; apt-get install third installs it')
  })
})

describe('the page', () => {
  it('has the targets, the tables, the plots, the versions and who is absent', () => {
    const page = benchmarksPage([finding], facts)
    expect(page).toContain('| Reads | reads | ≥ 2.5 × theirs | 3.00× (2.00–4.00) | yes |')
    expect(page).toContain('|  | CPU | ≤ 0.5 × theirs | 0.60× (0.50–0.70) | **no** |')
    expect(page).toContain('| who | ms\\|s |\n|---|---:|\n| ours | 1 |\n| theirs | 2 |')
    expect(page).toContain('![Requests <by> callers](benchmarks/requests.svg)')
    expect(page).toContain('| theirs | 1.2.3 |')
    expect(page).toContain('- a third (`apt-get install third`)')
  })

  it('is written with its plots, in place of those of an earlier run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rockpool-report-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeReport(folder, [{ ...finding, plots: [{ ...plot, name: 'earlier' }] }], facts)
    const page = await writeReport(folder, [finding], facts)
    expect(await readFile(page, 'utf8')).toBe(benchmarksPage([finding], facts))
    expect(await readdir(join(folder, 'benchmarks'))).toEqual(['requests.svg'])
    expect(await readFile(join(folder, 'benchmarks', 'requests.svg'), 'utf8')).toBe(lineChart(plot))
  })
})
