import { percentile } from './statistics.ts'

/** Callers at once, each with one request after the other. */
export interface Load {
  callers: number
  seconds: number
  /** Aborting ends the load; it rejects with the signal's reason. */
  signal: AbortSignal
}

/** What is asked, and what a right answer is. */
export interface Requests {
  /** `number` counts the requests of a load, from 0. */
  ask(number: number): Promise<unknown>
  /** Throws where the answer is wrong. */
  check(number: number, answer: unknown): void
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
 * Puts a load on a client. Every caller makes at least one request, however short the time.
 *
 * @throws what the first failing request threw, once the other callers' last ones have ended.
 */
export async function measure(requests: Requests, load: Load): Promise<Measurement> {
  load.signal.throwIfAborted()
  const meter = new Meter()
  let end = performance.now() + load.seconds * 1_000
  let asked = 0

  const call = async () => {
    let before = performance.now()
    do {
      const number = asked++
      requests.check(number, await requests.ask(number))
      const after = performance.now()
      meter.count(after - before)
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
  if (failed?.status === 'rejected') throw failed.reason
  load.signal.throwIfAborted()
  return meter.stop()
}

/** Counts requests from its creation to `stop()`, with their latencies and the CPU time that passed. */
export class Meter {
  readonly #latencies: number[] = []
  readonly #cpu = process.cpuUsage()
  readonly #begun = performance.now()

  /** One more request was answered, after so many milliseconds. */
  count(latency: number): void {
    this.#latencies.push(latency)
  }

  stop(): Measurement {
    const elapsed = performance.now() - this.#begun
    const { user, system } = process.cpuUsage(this.#cpu)
    const sorted = Float64Array.from(this.#latencies).sort()
    return {
      requests: sorted.length,
      rate: (sorted.length / elapsed) * 1_000,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      cpu: (user + system) / sorted.length,
    }
  }
}
