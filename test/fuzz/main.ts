import { availableParallelism } from 'node:os'
import { inspect, parseArgs } from 'node:util'
import { campaign } from './campaign.ts'
import { describePlan, Fuzzer } from './fuzz.ts'
import { record } from './record.ts'
import { saveRecordings } from './recordings.ts'
import type { Tally } from './worker.ts'

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '20000' },
    first: { type: 'string', default: '0' },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    record: { type: 'boolean', default: false },
  },
})
const print = (line: string) => process.stdout.write(`${line}\n`)

async function recordAnew(): Promise<number> {
  const recordings = await record()
  saveRecordings(recordings)
  for (const { name, turns } of recordings) {
    const bytes = turns.reduce((sum, turn) => sum + turn.bytes.length, 0)
    print(`${name}: ${turns.length} turns, ${bytes} bytes`)
  }
  return 0
}

/** One stream, and what each call of the client came to. */
async function replay(seed: number): Promise<number> {
  const fuzzer = new Fuzzer()
  fuzzer.start()
  const plan = fuzzer.plan(seed)
  print(describePlan(plan))
  const { violations, outcomes } = await fuzzer.judge(plan, seed)
  for (const outcome of outcomes) print(inspect(outcome, { depth: 4, breakLength: 120 }))
  for (const violation of violations) print(`violation: ${violation}`)
  if (violations.length > 0)
    print(`it takes no more than: ${describePlan(await fuzzer.minimised(plan, seed))}`)
  return violations.length === 0 ? 0 : 1
}

function summary(tallies: readonly Tally[], took: number): string {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0)
  const slowest = tallies
    .map((tally) => tally.slowest)
    .reduce((one, other) => (other.took > one.took ? other : one))
  const streams = sum((tally) => tally.streams)
  const growth = Math.max(...tallies.map((tally) => tally.heapGrowth)) / 2 ** 20
  return (
    `${streams} streams, ${sum((tally) => tally.calls)} calls in ${(took / 1000).toFixed(1)} s ` +
    `(${((took * tallies.length) / streams).toFixed(2)} ms a stream and thread); ` +
    `${sum((tally) => tally.unharmed)} streams did no harm; slowest ${slowest.took.toFixed(0)} ms (seed ${slowest.seed}); ` +
    `heap of a thread ${growth >= 0 ? '+' : ''}${growth.toFixed(1)} MiB`
  )
}

async function fuzz(): Promise<number> {
  let violations = 0
  const start = performance.now()
  const tallies = await campaign({
    first: Number(values.first),
    streams: Number(values.streams),
    workers: Number(values.workers),
    found: ({ seed, plan, violations: wrong }) => {
      violations++
      print(`seed ${seed} (${plan}):\n  ${wrong.join('\n  ')}\n  replay: npm run fuzz -- --seed ${seed}`)
    },
    progress: (streams) => print(`${streams} streams, ${violations} violations`),
  })
  print(`${violations} violations; ${summary(tallies, performance.now() - start)}`)
  return violations === 0 ? 0 : 1
}

const seed = values.seed === undefined ? undefined : Number(values.seed)
process.exitCode = await (values.record ? recordAnew() : seed === undefined ? fuzz() : replay(seed))
