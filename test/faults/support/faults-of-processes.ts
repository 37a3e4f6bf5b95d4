import { vi } from 'vitest'
import { unhurt } from './expectations.ts'
import type { Fault } from './fault.ts'

/** Shorter than the stall, and longer than all that comes before it. */
const limit = '3s'
const stall = 3_300

/** Everything is answered while nobody looks, and later than every limit allows. */
export const stalled: Fault = {
  name: 'the event loop stands still',
  notice: 'never',
  hits: 'all',
  options: {
    commandTimeout: limit,
    acquireTimeout: limit,
    checkTimeout: limit,
    hookTimeout: limit,
    closeTimeout: limit,
    cancelTimeout: limit,
    connectTimeout: limit,
  },
  async strike(scenes) {
    await Promise.all(scenes.map((scene) => scene.letGo()))
    const end = performance.now() + stall
    while (performance.now() < end);
  },
  cells: unhurt,
}

/** Time-outs go by the monotonic clock. */
function clockJump(name: string, by: number): Fault {
  return {
    name,
    notice: 'never',
    hits: 'all',
    strike: () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + by }),
    end: () => vi.useRealTimers(),
    cells: unhurt,
  }
}

export const clockForward: Fault = clockJump('the wall clock jumps an hour ahead', 3_600_000)
export const clockBack: Fault = clockJump('the wall clock jumps an hour back', -3_600_000)
