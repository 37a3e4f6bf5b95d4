import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding } from '../topic.ts'
import { lineChart } from './line-chart.ts'
import { benchmarksPage, type Facts } from './page.ts'

/** Writes `benchmarks.md`, and its plots in place of those of an earlier run. Returns the page's path. */
export async function writeReport(
  folder: string,
  findings: readonly Finding[],
  facts: Facts,
): Promise<string> {
  const plots = join(folder, 'benchmarks')
  await rm(plots, { recursive: true, force: true })
  await mkdir(plots, { recursive: true })
  for (const plot of findings.flatMap((finding) => finding.plots ?? [])) {
    await writeFile(join(plots, `${plot.name}.svg`), lineChart(plot))
  }
  const page = join(folder, 'benchmarks.md')
  await writeFile(page, benchmarksPage(findings, facts))
  return page
}
