import { Worker } from 'node:worker_threads'
import type { Finding, Share, Tally } from './worker.ts'

/** One stream takes some milliseconds, a login with a dear key a second: what takes longer has no end. */
const longestStream = 60_000

export interface Campaign {
  first: number
  streams: number
  workers: number
  /** Called for each violation as it is found. */
  found(finding: Finding): void
  /** Called every ten seconds with the number of streams played so far. */
  progress(streams: number): void
}

/** Plays the streams in several threads. What a thread cannot tell itself, that it hangs or dies, the others find. */
export async function campaign({ first, streams, workers, found, progress }: Campaign): Promise<Tally[]> {
  const shares = Array.from({ length: workers }, (_, i): Share => {
    const shared = new Int32Array(new SharedArrayBuffer(8))
    return { first: first + i, end: first + streams, stride: workers, progress: shared }
  })
  const timer = setInterval(
    () => progress(shares.reduce((sum, share) => sum + (share.progress[1] ?? 0), 0)),
    10_000,
  )
  try {
    return await Promise.all(shares.map((share) => played(share, found)))
  } finally {
    clearInterval(timer)
  }
}

function played(share: Share, found: Campaign['found']): Promise<Tally> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: share })
  return new Promise<Tally>((resolve, reject) => {
    let last = -1
    const watchdog = setInterval(() => {
      const seed = share.progress[0] ?? 0
      if (seed === last) fail(`does not end within ${longestStream / 1000} s`)
      last = seed
    }, longestStream)
    const fail = (what: string) => {
      clearInterval(watchdog)
      void worker.terminate()
      reject(new Error(`the stream of seed ${share.progress[0]} ${what}`))
    }
    worker.on('message', (message: Finding | Tally) => {
      if (message.kind === 'violation') return found(message)
      clearInterval(watchdog)
      resolve(message)
    })
    worker.on('error', (error) => fail(`ended the thread: ${error.message}`))
    worker.on('exit', () => fail('ended the thread'))
  })
}
