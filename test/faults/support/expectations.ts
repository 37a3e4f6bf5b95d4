import type { Ends } from './fault.ts'
import type { StateName } from './states.ts'

type Expectations = Readonly<Record<StateName, Ends>>

/** Nobody notices. */
export const unhurt: Expectations = {
  connecting: { caller: 'done' },
  preparing: { caller: 'done' },
  checking: { caller: 'done' },
  idle: { caller: 'done' },
  leased: { statement: 'done' },
  running: { statement: 'done' },
  'in a transaction': { transaction: 'done' },
  committing: { transaction: 'done' },
  pipelined: { first: 'done', second: 'done', third: 'done' },
  'one-shots': { first: 'done', second: 'done', third: 'done', fourth: 'done' },
  resetting: { caller: 'done' },
  closing: { caller: 'done' },
}

/**
 * The connection goes: who had it in use is told what became of the statement, everybody else is served by another.
 *
 * @param sqlState what the server said, if anything
 */
export function lost(hits: 'one' | 'all', sqlState?: string): Expectations {
  const end = (outcome: string) =>
    ['CONNECTION_LOST', outcome, ...(sqlState === undefined ? [] : [sqlState])].join(' ')
  return hurt(hits, end('unknown'), {
    preparing: { caller: end('not-sent') },
    leased: { statement: end('not-sent') },
    'in a transaction': { transaction: end('not-sent') },
  })
}

/** The connections there are answer once more, and break by that; who waits for the answer is told so. */
export function brokenByAnswer(): Expectations {
  const end = 'CONNECTION_LOST unknown'
  return hurt('all', end, { preparing: { caller: 'CONNECTION_LOST not-sent' } })
}

/** The answer comes whole, and behind it what breaks the connection: a transaction may already have written on. */
export function brokenBehindAnswer(): Expectations {
  const end = 'CONNECTION_LOST unknown'
  return {
    ...unhurt,
    preparing: { caller: /^CONNECTION_LOST/ },
    'in a transaction': { transaction: /^CONNECTION_LOST/ },
    pipelined: { first: 'done', second: end, third: end },
  }
}

/**
 * No answer comes: who waits for one is told in time, everybody else is served by another. Where one connection alone is
 * hurt, the other's statement is cancelled in time.
 */
export function timedOut(hits: 'one' | 'all'): Expectations {
  const end = 'QUERY_TIMEOUT unknown'
  const second = hits === 'one' ? 'QUERY_TIMEOUT failed' : end
  return hurt(hits, end, {
    connecting: { caller: 'INTERFACE not-sent' },
    preparing: { caller: 'POOL_TIMEOUT not-sent' },
    'one-shots': { first: end, second, third: 'done', fourth: 'done' },
  })
}

/** Every statement under way on the connection ends in this way. */
function hurt(hits: 'one' | 'all', end: string, others: Partial<Expectations>): Expectations {
  return {
    ...unhurt,
    leased: { statement: end },
    running: { statement: end },
    'in a transaction': { transaction: end },
    committing: { transaction: end },
    pipelined: { first: end, second: end, third: end },
    'one-shots': { first: end, second: hits === 'all' ? end : 'done', third: 'done', fourth: 'done' },
    ...others,
  }
}

/**
 * The server cancels the statement that it works on, and only that; where it is a hook's, the caller's own is not sent.
 *
 * @param code of the error; with `sqlState`, where it has one
 */
export function cancelled(hits: 'one' | 'all', code: string, sqlState?: string): Expectations {
  const told = (outcome: string) => [code, outcome, ...(sqlState === undefined ? [] : [sqlState])].join(' ')
  const end = told('failed')
  return {
    ...unhurt,
    connecting: { caller: told('not-sent') },
    preparing: { caller: told('not-sent') },
    running: { statement: end },
    committing: { transaction: end },
    pipelined: { first: end, second: 'done', third: 'done' },
    'one-shots': { first: end, second: hits === 'all' ? end : 'done', third: 'done', fourth: 'done' },
  }
}

/**
 * The pool cancels in time what the server works on. What waits behind that on its connection is told at once when its own
 * time is over, or is done where the cancel was quicker.
 */
export function cancelledInTime(): Expectations {
  const behind = /^(QUERY_TIMEOUT unknown|done)$/
  return {
    ...cancelled('all', 'QUERY_TIMEOUT'),
    pipelined: { first: 'QUERY_TIMEOUT failed', second: behind, third: behind },
  }
}

/** All but a COMMIT, which cannot be aborted. */
export function aborted(): Expectations {
  return { ...every('aborted'), committing: unhurt.committing }
}

/** Who came before the end of the pool is served, who comes later is not. */
export function closed(): Expectations {
  const late = { caller: 'POOL_CLOSED not-sent' }
  return { ...unhurt, idle: late, resetting: late, closing: late }
}

/** Who has a connection loses it, who waits for one gets none. */
export function terminated(): Expectations {
  const refused = 'POOL_CLOSED not-sent'
  const lost = 'CONNECTION_LOST unknown'
  const unsent = 'CONNECTION_LOST not-sent'
  return {
    ...every(refused),
    leased: { statement: unsent },
    running: { statement: lost },
    'in a transaction': { transaction: unsent },
    committing: { transaction: lost },
    pipelined: { first: lost, second: lost, third: lost },
    'one-shots': { first: lost, second: lost, third: refused, fourth: refused },
  }
}

/** Each call of each state ends in the same way. */
function every(end: string): Expectations {
  const states = Object.entries(unhurt).map(([state, ends]) => [
    state,
    Object.fromEntries(Object.keys(ends).map((call) => [call, end])),
  ])
  return Object.fromEntries(states)
}
