import { percentile } from './statistics.ts'

/** Callers at once, each with one request after the other. */
export interface Load {
  callers: number
  seconds: number
  /** Aborting ends the load; it rejects with the signal's reason. */
  signal: AbortSignal
}

/** What became of a load. */
export interface Measurement {
  /** Requests that were answered, with the right answer. */
  requests: number
  /** Requests per second. */
  rate: number
  /** Latency in milliseconds: half of the requests took no longer. */
  p50: number
  /** Latency in milliseconds: 99 of 100 requests took no longer. */
  p99: number
  /** CPU time of this process per request, in microseconds: the library's, and the little of the load itself. */
  cpu: number
}

/**
 * Puts a load on `request`. Every caller makes at least one request, however short the time.
 *
 * @throws what the first failing request threw, once the other callers' last ones have ended.
 */
export async function measure(request: () => Promise<void>, load: Load): Promise<Measurement> {
  load.signal.throwIfAborted()
  const latencies: number[] = []
  const cpuBefore = process.cpuUsage()
  const begun = performance.now()
  let end = begun + load.seconds * 1_000

  const call = async () => {
    let before = performance.now()
    do {
      await request()
      const after = performance.now()
      latencies.push(after - before)
      before = after
    } while (before < end && !load.signal.aborted)
  }
  const callers = Array.from({ length: load.callers }, () =>
    call().catch((error: unknown) => {
      end = 0
      throw error
    }),
  )
  const failed = (await Promise.allSettled(callers)).find(({ status }) => status === 'rejected')
  const elapsed = performance.now() - begun
  const { user, system } = process.cpuUsage(cpuBefore)
  if (failed?.status === 'rejected') throw failed.reason
  load.signal.throwIfAborted()

  const sorted = Float64Array.from(latencies).sort()
  return {
    requests: sorted.length,
    rate: (sorted.length / elapsed) * 1_000,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    cpu: (user + system) / sorted.length,
  }
}
