import { Worker } from 'node:worker_threads'
import { Coverage } from './coverage.ts'
import type { Batch, BatchResult, Failure, WorkerData } from './worker.ts'

export interface CampaignOptions {
  first: number
  seeds: number
  steps: number
  workers: number
  stopAtFirst: boolean
}

export interface CampaignResult {
  seeds: number
  steps: number
  milliseconds: number
  coverage: Coverage
  /** The lowest seed first. */
  failures: Failure[]
}

const batchSize = 10
/** A step that lasts longer, in real milliseconds, does not end. */
const hungAfter = 30_000

/**
 * Runs the seeds on worker threads, in batches from the lowest up. A failure ends it once the batches that were
 * begun before are done, so that the lowest failing seed does not depend on the number of workers.
 */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const begin = performance.now()
  const result: CampaignResult = {
    seeds: 0,
    steps: 0,
    milliseconds: 0,
    coverage: new Coverage(),
    failures: [],
  }
  const end = options.first + options.seeds
  let next = options.first
  const nextBatch = (): Batch | undefined => {
    if (next >= end || (options.stopAtFirst && result.failures.length > 0)) return undefined
    const batch = { first: next, end: Math.min(end, next + batchSize) }
    next = batch.end
    return batch
  }
  const take = (batch: BatchResult) => {
    result.seeds += batch.seeds
    result.steps += batch.steps
    result.coverage.add(batch)
    result.failures.push(...batch.failures)
  }
  const fail = (failure: Failure) => result.failures.push(failure)
  const count = Math.min(options.workers, Math.ceil(options.seeds / batchSize))
  await Promise.all(Array.from({ length: count }, () => employ(options, nextBatch, take, fail)))
  result.failures.sort((a, b) => a.seed - b.seed)
  result.milliseconds = performance.now() - begin
  return result
}

/** One worker, until there is no batch left or it fails as a whole. */
function employ(
  { steps, stopAtFirst }: CampaignOptions,
  nextBatch: () => Batch | undefined,
  take: (result: BatchResult) => void,
  fail: (failure: Failure) => void,
): Promise<void> {
  const position = new Int32Array(new SharedArrayBuffer(8))
  const workerData: WorkerData = { steps, stopAtFirst, position }
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 1_024 },
  })
  return new Promise((resolve) => {
    const failed = (message: string) => {
      fail({ seed: position[0]!, step: position[1]!, invariant: 'I8', message })
      end()
    }
    let seen = -1
    const watch = setInterval(() => {
      const now = position[0]! * 1_000_003 + position[1]!
      if (now === seen) failed('the step does not end')
      seen = now
    }, hungAfter)
    const end = () => {
      clearInterval(watch)
      worker.terminate().then(() => resolve())
    }
    const goOn = () => {
      const batch = nextBatch()
      if (batch === undefined) end()
      else worker.postMessage(batch)
    }
    worker.on('message', (result: BatchResult) => {
      take(result)
      goOn()
    })
    worker.on('error', (error) => failed(`the process ended: ${error}`))
    goOn()
  })
}
