import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type PlantedBug, plantedBugs } from './bugs.ts'
import { lookAtUnharmed, lookFor, projectRoot } from './planting.ts'
import { isFound, type Result, table } from './report.ts'

/**
 * Plants each bug in a copy of the pool and has the simulation look for it. Exit code 1: one was not found, one
 * does not fit the source of today, or the simulation finds something in the pool as it is.
 */
const { values } = parseArgs({
  options: {
    /** These alone; may be given several times. */
    only: { type: 'string', multiple: true },
    /** How many each may take. */
    seeds: { type: 'string', default: '20000' },
    steps: { type: 'string', default: '1000' },
    /** How many bugs are looked for side by side. */
    jobs: { type: 'string', default: '2' },
    /** A file for the results. */
    json: { type: 'string' },
  },
})

const extent = { seeds: Number(values.seeds), steps: Number(values.steps) }
const unharmedSeeds = 200

const root = projectRoot()
const bugs = plantedBugs(root).filter(({ name }) => values.only?.includes(name) ?? true)
if (bugs.length === 0) {
  console.error('no such planted bug')
  process.exit(1)
}

const unharmed = await lookAtUnharmed(root, { ...extent, seeds: Math.min(unharmedSeeds, extent.seeds) })
if (unharmed.kind !== 'nothing') {
  console.error('the simulation finds something in the pool as it is:', unharmed)
  process.exit(1)
}

const results: Result[] = []
const left = [...bugs]

async function work(): Promise<void> {
  for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
    const result = { bug, finding: await lookFor(root, bug, extent) }
    results.push(result)
    tell(result)
  }
}

function tell({ bug, finding }: Result): void {
  const { kind, ...details } = finding
  console.error(`${results.length}/${bugs.length} ${bug.name}: ${kind}`, details)
}

function byName(a: PlantedBug, b: PlantedBug): number {
  return bugs.indexOf(a) - bugs.indexOf(b)
}

await Promise.all(Array.from({ length: Number(values.jobs) }, work))
results.sort((a, b) => byName(a.bug, b.bug))
const found = results.filter(isFound)
console.log(table(results))
console.log(`\n${found.length} of ${results.length} found`)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, undefined, 2))
process.exitCode = found.length < results.length ? 1 : 0
