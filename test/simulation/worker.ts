import { parentPort, workerData } from 'node:worker_threads'
import { Coverage } from './coverage.ts'
import { runSeed, type SeedResult } from './run-seed.ts'

/** Seeds from `first` up to, but not including, `end`. */
export interface Batch {
  first: number
  end: number
}

export interface BatchResult {
  seeds: number
  steps: number
  pairs: Float64Array
  faults: Map<string, number>
  /** The lowest seed of the batch that fails, where it is to stop there; else all that do. */
  failures: Failure[]
}

export type Failure = Pick<SeedResult, 'seed'> & NonNullable<SeedResult['violation']>

export interface WorkerData {
  steps: number
  stopAtFirst: boolean
  /** Where the worker writes its present seed and step, so that one that hangs can be named. */
  position: Int32Array
}

async function runBatch({ first, end }: Batch): Promise<BatchResult> {
  const { steps, stopAtFirst, position } = workerData as WorkerData
  const coverage = new Coverage()
  const failures: Failure[] = []
  let seeds = 0
  let taken = 0
  for (let seed = first; seed < end; seed++) {
    position[0] = seed
    const result = await runSeed(seed, steps, {
      progress: (step) => {
        position[1] = step
      },
    })
    seeds++
    taken += result.steps
    coverage.add(result.coverage)
    if (result.violation === undefined) continue
    failures.push({ seed, ...result.violation })
    if (stopAtFirst) break
  }
  return { seeds, steps: taken, pairs: coverage.pairs, faults: coverage.faults, failures }
}

parentPort?.on('message', async (batch: Batch) => parentPort?.postMessage(await runBatch(batch)))
