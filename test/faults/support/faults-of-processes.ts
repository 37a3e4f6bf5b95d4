import { vi } from 'vitest'
import { unhurt } from './expectations.ts'
import type { Fault } from './fault.ts'

/** Shorter than the stall, and longer than all that comes before it. */
const limit = '4s'
const stall = 4_200

/**
 * Everything is answered while nobody looks, and looked at later than every limit allows. But for the wait for a
 * connection: whose that is has to be reset first.
 */
export const stalled: Fault = {
  name: 'the event loop stands still',
  notice: 'never',
  hits: 'all',
  options: {
    commandTimeout: limit,
    checkTimeout: limit,
    hookTimeout: limit,
    closeTimeout: limit,
    cancelTimeout: limit,
    connectTimeout: limit,
  },
  async strike(scenes, { observer }) {
    for (const { next } of scenes) next.letGo?.()
    // Of all scenes at once: the server's answers come when nobody looks any more.
    await observer.query('select pg_advisory_unlock_all()')
    const end = performance.now() + stall
    while (performance.now() < end);
  },
  cells: unhurt,
}

/** Time-outs and lifetimes go by the monotonic clock. */
function clockJump(name: string, by: number): Fault {
  return {
    name,
    notice: 'never',
    hits: 'all',
    options: { maxLifetime: '30min', maxInactiveConnectionLifetime: '10min' },
    keepsConnections: true,
    strike: () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + by }),
    end: () => vi.useRealTimers(),
    cells: unhurt,
  }
}

export const clockForward: Fault = clockJump('the wall clock jumps an hour ahead', 3_600_000)
export const clockBack: Fault = clockJump('the wall clock jumps an hour back', -3_600_000)
