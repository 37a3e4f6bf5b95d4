import { parentPort, workerData } from 'node:worker_threads'
import { describePlan, Fuzzer, usedHeap } from './fuzz.ts'

/** Which streams a worker plays: `first`, `first + stride` and so on, below `end`. */
export interface Share {
  first: number
  end: number
  stride: number
  /** The seed that is being played, and how many were: the worker writes, the watchdog reads. */
  progress: Int32Array
}

export interface Finding {
  kind: 'violation'
  seed: number
  plan: string
  violations: string[]
}

export interface Tally {
  kind: 'tally'
  streams: number
  unharmed: number
  calls: number
  slowest: { seed: number; took: number }
  /** Bytes. */
  heapGrowth: number
}

/** Code and tables that are made at first use are no leak. */
const warmUp = 500

async function work({ first, end, stride, progress }: Share): Promise<Tally> {
  const fuzzer = new Fuzzer()
  fuzzer.start()
  const tally: Tally = {
    kind: 'tally',
    streams: 0,
    unharmed: 0,
    calls: 0,
    slowest: { seed: first, took: 0 },
    heapGrowth: 0,
  }
  let heap = usedHeap()
  for (let seed = first; seed < end; seed += stride) {
    progress[0] = seed
    const verdict = await fuzzer.run(seed)
    if (verdict.violations.length > 0) {
      const plan = describePlan(await fuzzer.minimised(fuzzer.plan(seed), seed))
      parentPort?.postMessage({
        kind: 'violation',
        seed,
        plan,
        violations: verdict.violations,
      } satisfies Finding)
    }
    tally.streams++
    tally.calls += verdict.outcomes.length
    if (verdict.isUnharmed) tally.unharmed++
    if (verdict.took > tally.slowest.took) tally.slowest = { seed, took: verdict.took }
    if (tally.streams === warmUp) heap = usedHeap()
    progress[1] = tally.streams
  }
  return { ...tally, heapGrowth: usedHeap() - heap }
}

parentPort?.postMessage(await work(workerData as Share))
