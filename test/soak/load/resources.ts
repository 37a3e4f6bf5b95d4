import { now } from '../clock.ts'
import type { Sample } from '../messages.ts'
import { tell } from './link.ts'

declare const gc: () => void

function count(kind: string): number {
  return process.getActiveResourcesInfo().filter((one) => one === kind).length
}

export function takeSample(): Sample {
  gc()
  return {
    at: now(),
    heap: process.memoryUsage().heapUsed,
    sockets: count('TCPSocketWrap'),
    timers: count('Timeout'),
  }
}

/** Tells what the process holds, every so many milliseconds until the returned function is called. */
export function keepSampling(every: number): () => void {
  const timer = setInterval(() => tell({ kind: 'sample', sample: takeSample() }), every)
  return () => clearInterval(timer)
}

/** What keeps the process alive, but for its channel to the main process. */
export function whatIsLeft(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap' && kind !== 'TTYWrap')
}
