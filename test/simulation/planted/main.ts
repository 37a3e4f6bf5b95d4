import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { plantedBugs } from './bugs.ts'
import type { Copy } from './copy.ts'
import { inCopy, lookFor, projectRoot } from './planting.ts'
import { isFound, type Result, table } from './report.ts'
import { simulate } from './trial.ts'

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
const bugs = plantedBugs(projectRoot()).filter(({ name }) => values.only?.includes(name) ?? true)
if (bugs.length === 0) {
  console.error('no such planted bug')
  process.exit(1)
}

const results: Result[] = []

function tell(result: Result): void {
  const { kind, ...details } = result.finding
  results.push(result)
  console.error(`${results.length}/${bugs.length} ${result.bug.name}: ${kind} ${JSON.stringify(details)}`)
}

/** What the simulation finds in the pool as it is, it would find with any bug. */
async function checkUnharmed(copy: Copy): Promise<void> {
  const outcome = await simulate(await copy.compile(), { ...extent, seeds: Math.min(200, extent.seeds) })
  if (outcome.kind === 'nothing') return
  throw new Error(`the simulation finds something in the pool as it is: ${JSON.stringify(outcome)}`)
}

// All bugs are planted in one state of the project, whoever works on it meanwhile.
await inCopy(projectRoot(), async (copy) => {
  await checkUnharmed(copy)
  const left = [...bugs]
  const work = async () => {
    for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
      tell({ bug, finding: await lookFor(copy.folder, bug, extent) })
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
})

results.sort((a, b) => bugs.indexOf(a.bug) - bugs.indexOf(b.bug))
const found = results.filter(isFound)
console.log(table(results))
console.log(`\n${found.length} of ${results.length} found`)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, undefined, 2))
process.exitCode = found.length < results.length ? 1 : 0
