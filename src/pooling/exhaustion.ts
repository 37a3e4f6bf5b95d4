import { formatDuration } from '../duration.ts'
import { PoolOverloadedError, PoolTimeoutError } from '../errors.ts'
import type { PoolCore } from './core.ts'
import type { Lease } from './lease.ts'
import type { Waiter } from './wait-queue.ts'

/** The hand-outs that last, the oldest first. */
export function holders<C>(core: PoolCore<C>): Lease<C>[] {
  const leases: Lease<C>[] = []
  for (const slot of core.slots.all()) {
    if (slot.state === 'leased' && slot.lease !== undefined) leases.push(slot.lease)
  }
  return leases.sort((a, b) => a.number - b.number)
}

function heldFor<C>(lease: Lease<C>, now: number): string {
  const time = formatDuration(now - lease.acquiredAt)
  return lease.holder === undefined ? `held for ${time}` : `held for ${time} by ${firstLine(lease.holder)}`
}

/** Of a stack, the place itself. */
export function firstLine(text: string): string {
  const end = text.indexOf('\n')
  return end < 0 ? text : text.slice(0, end)
}

/** Who has the connections and what hinders new ones, so that "all are busy" and "the server is away" never look alike. */
function situation<C>(core: PoolCore<C>, now: number): string {
  const { counts, capacity } = core.slots
  const parts = [
    `${counts.leased + counts.preparing} of ${capacity} in use`,
    `${counts.idle} idle`,
    `${counts.connecting} connecting`,
  ]
  if (counts.checking > 0) parts.push(`${counts.checking} being checked`)
  if (counts.resetting > 0) parts.push(`${counts.resetting} being reset`)
  if (counts.closing + counts.terminating > 0) parts.push(`${counts.closing + counts.terminating} closing`)
  parts.push(`${core.queue.length} waiting`)
  let text = parts.join(', ')
  const longest = holders(core)[0]
  if (longest !== undefined) text += `; longest ${heldFor(longest, now)}`
  if (core.phase === 'suspended') text += '; the pool is suspended'
  const failure = core.connectFailure
  if (failure !== undefined) {
    text += `; the last connect failed: ${failure instanceof Error ? failure.message : String(failure)}`
  }
  return text
}

/**
 * Refuses those whose time has run out. Where a great many are overdue these are not all: the others still wait, and are
 * served where a connection comes back before their turn, as after a stall of the event loop.
 */
export function timeOut<C>(core: PoolCore<C>, waiters: Waiter<C>[], now: number): void {
  const seen = situation(core, now)
  const options = core.connectFailure === undefined ? {} : { cause: core.connectFailure }
  core.totals.timedOut += waiters.length
  for (const waiter of waiters) {
    const message = `no connection within ${formatDuration(waiter.timeout)}: ${seen}`
    core.queue.refuse(waiter, new PoolTimeoutError(message, options))
  }
}

export function overloaded<C>(core: PoolCore<C>, now: number): PoolOverloadedError {
  core.totals.overloaded++
  return new PoolOverloadedError(
    `maxWaiting allows ${core.settings.maxWaiting} to wait for a connection: ${situation(core, now)}; ` +
      'try again later, raise maxSize or maxWaiting, or hold connections for less long',
  )
}

/** What `close` rejects with; taken before the connections are terminated. */
export function closeTimedOut<C>(core: PoolCore<C>, timeout: number, now: number): PoolTimeoutError {
  const held = holders(core).map((lease) => heldFor(lease, now))
  const which = held.length > 0 ? `not released: ${held.join(', ')}` : `left: ${situation(core, now)}`
  return new PoolTimeoutError(
    `the pool could not close within ${formatDuration(timeout)}; ${which}; what was left has been terminated`,
  )
}

export function closeTakesLong<C>(core: PoolCore<C>, ms: number, now: number): string {
  const held = holders(core).map((lease) => heldFor(lease, now))
  const which = held.length > 0 ? `connections not released: ${held.join(', ')}` : situation(core, now)
  return `close() has been waiting for ${formatDuration(ms)}; ${which}; terminate() does not wait`
}
