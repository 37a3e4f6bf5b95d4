import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { campaign } from './campaign.ts'
import { formatSteps, minimise, parseSteps } from './minimise.ts'
import { gaps, report, summary } from './report.ts'
import { runSeed } from './run-seed.ts'
import type { Failure } from './worker.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    steps: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    only: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'string' },
    'stop-at-first': { type: 'boolean', default: true },
    minimise: { type: 'boolean', default: true },
    hashes: { type: 'boolean', default: false },
  },
  allowNegative: true,
})
const steps = Number(values.steps)
const print = (line: string) => process.stdout.write(`${line}\n`)
/** For the planted bugs' script: has to stay the last line. */
const tell = ({ seed, step, invariant }: Failure) =>
  print(`violation seed=${seed} step=${step} invariant=${invariant}`)

/** Which hash each of a few seeds gives: those that the test knows. */
async function printHashes(): Promise<void> {
  const first = Number(values.first)
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    print(`  [${seed}, '${(await runSeed(seed, steps)).hash}'],`)
  }
}

/** One seed, told line by line. */
async function replay(seed: number): Promise<number> {
  const only = values.only === undefined ? undefined : parseSteps(values.only)
  const { violation, hash, steps: taken } = await runSeed(seed, steps, { only, print })
  print(`seed ${seed}: ${taken} steps, hash ${hash}`)
  if (violation === undefined) return 0
  print(`${violation.invariant} in step ${violation.step}: ${violation.message}`)
  tell({ seed, ...violation })
  return 1
}

async function explain({ seed, step, invariant, message }: Failure): Promise<void> {
  print(`\nseed ${seed} breaks ${invariant} in step ${step}: ${message}`)
  const hung = invariant === 'I8' && (message.includes('does not end') || message.includes('process ended'))
  if (!values.minimise || hung) {
    print(`replay: npm run simulate -- --seed ${seed} --steps ${step + 1}`)
    return
  }
  const only = await minimise(seed, step, invariant)
  await runSeed(seed, 0, { only, print })
  print(`replay: npm run simulate -- --seed ${seed} --only ${formatSteps(only)}`)
}

async function run(): Promise<number> {
  const result = await campaign({
    first: Number(values.first),
    seeds: Number(values.seeds),
    steps,
    workers: Number(values.workers),
    stopAtFirst: values['stop-at-first'],
  })
  print(report(result))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(summary(result), null, 2)}\n`)
  const [lowest] = result.failures
  if (lowest !== undefined) {
    await explain(lowest)
    tell(lowest)
    return 1
  }
  const missing = gaps(result.coverage)
  for (const gap of missing.contradicted) print(`reached, though declared impossible: ${gap}`)
  if (missing.contradicted.length > 0) return 2
  for (const gap of missing.unreached) print(`not reached, and not declared impossible: ${gap}`)
  return missing.unreached.length > 0 && result.steps >= enough ? 2 : 0
}

/** Steps after which every pair must have come. */
const enough = 20_000_000

if (values.hashes) await printHashes()
else process.exitCode = values.seed === undefined ? await run() : await replay(Number(values.seed))
