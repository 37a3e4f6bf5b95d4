import { median } from '../statistics.ts'
import { type Pooling, take, takeAll } from './pooling.ts'
import { monitorTurns } from './turns.ts'

const connections = 10
/** Acquires in one go, at least, and of each caller: enough that what starts and ends it does not show. */
const batch = 100_000
const eachAtLeast = 30

/**
 * Nanoseconds for one acquire and release. Each caller acquires, holds for one microtask, as a caller does that awaits
 * something, releases, and acquires again.
 */
export async function handOut(pooling: Pooling<unknown>, callers: number, seconds: number): Promise<number> {
  for (const held of await takeAll(pooling, connections)) give(pooling, held)
  const each = Math.max(eachAtLeast, Math.round(batch / callers))
  const caller = async () => {
    for (let left = each; left > 0; left--) {
      const held = await pooling.acquire()
      take(pooling.connectionOf(held))
      await undefined
      give(pooling, held)
    }
  }
  const play = async () => {
    const begun = performance.now()
    await Promise.all(Array.from({ length: callers }, caller))
    return ((performance.now() - begun) * 1e6) / (callers * each)
  }
  return repeated(play, seconds)
}

export interface Queueing {
  /** Nanoseconds that a waiter takes, from its acquire to its release. */
  cost: number
  /** Bytes of the heap that it takes while it waits, its promise included. */
  bytes: number
}

/** So many callers queue up behind connections that are all in use, and are served one after the other. */
export async function queueUp(
  pooling: Pooling<unknown>,
  waiters: number,
  seconds: number,
): Promise<Queueing> {
  const settled = Promise.resolve()
  const promises: PromiseLike<unknown>[] = new Array(waiters).fill(settled)
  const queue = async () => {
    const inUse = await takeAll(pooling, connections)
    for (let index = 0; index < waiters; index++) promises[index] = pooling.acquire()
    return inUse
  }
  const serve = (inUse: readonly unknown[]) =>
    new Promise<void>((resolve) => {
      let served = 0
      const use = (held: unknown) => {
        take(pooling.connectionOf(held))
        give(pooling, held)
        if (++served === waiters) resolve()
      }
      // What goes wrong ends the process.
      for (const promise of promises) promise.then(use)
      for (const held of inUse) give(pooling, held)
    })
  const play = async () => {
    const begun = performance.now()
    await serve(await queue())
    const taken = performance.now() - begun
    // Else those of one pass would be on the heap of the next.
    promises.fill(settled)
    return (taken * 1e6) / waiters
  }
  const cost = await repeated(play, seconds)
  const before = heap()
  await queue()
  return { cost, bytes: (heap() - before) / waiters }
}

/**
 * The longest turn of the event loop, in milliseconds, while the waits of so many callers end together: the loop was
 * busy until the last one's time was over.
 */
export async function timeOut(pooling: Pooling<unknown>, waiters: number, timeout: number): Promise<number> {
  await takeAll(pooling, connections)
  let refused = 0
  const over = new Promise<void>((resolve, reject) => {
    const refuse = () => {
      if (++refused === waiters) resolve()
    }
    const served = () => reject(new Error('a caller was served, with every connection in use'))
    for (let index = 0; index < waiters; index++) pooling.acquire().then(served, refuse)
  })
  const due = performance.now() + timeout + 1
  while (performance.now() < due);
  return monitorTurns(over)
}

/** The median of what `play` gives, played again and again after a warm-up; where that took too long already, of this. */
async function repeated(play: () => Promise<number>, seconds: number): Promise<number> {
  const warmUp = Math.min(0.5, seconds)
  const begun = performance.now()
  const first = await playFor(play, warmUp)
  const isSlow = performance.now() - begun > (warmUp + seconds) * 1_000
  return median(isSlow ? first : await playFor(play, seconds))
}

async function playFor(play: () => Promise<number>, seconds: number): Promise<number[]> {
  const figures: number[] = []
  const end = performance.now() + seconds * 1_000
  do {
    figures.push(await play())
    await new Promise(setImmediate)
  } while (performance.now() < end)
  return figures
}

function give(pooling: Pooling<unknown>, held: unknown): void {
  pooling.connectionOf(held).isTaken = false
  pooling.release(held)
}

function heap(): number {
  if (gc === undefined) throw new Error('run with --expose-gc')
  // What the first leaves, the second takes.
  gc()
  gc()
  return process.memoryUsage().heapUsed
}
