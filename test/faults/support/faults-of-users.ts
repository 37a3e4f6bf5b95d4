import { until } from '../../support/until.ts'
import { aborted, cancelled, cancelledInTime, closed, terminated, unhurt } from './expectations.ts'
import type { Ends, Fault } from './fault.ts'

export const abort: Fault = {
  name: 'the callers abort',
  notice: 'never',
  hits: 'all',
  strike(scenes) {
    for (const { controller } of scenes) controller.abort(new Error('aborted'))
  },
  cells: aborted(),
}

export const commandTimeout: Fault = {
  name: 'the command time-out is over',
  notice: 'never',
  hits: 'all',
  options: { commandTimeout: '1500ms' },
  strike: () => {},
  cells: cancelledInTime(),
}

export const statementTimeout: Fault = {
  name: "the server's statement_timeout is over (57014)",
  notice: 'never',
  hits: 'all',
  serverSettings: { statement_timeout: '1500ms' },
  strike: () => {},
  // It does not hold for what COMMIT does.
  cells: { ...cancelled('all', 'POSTGRES', '57014'), committing: unhurt.committing },
}

export const idleInTransaction: Fault = {
  name: "the server's idle_in_transaction_session_timeout is over (25P03)",
  notice: 'never',
  hits: 'one',
  serverSettings: { idle_in_transaction_session_timeout: '2s' },
  async strike(scenes) {
    const scene = scenes.find(({ state }) => state.name === 'in a transaction')!
    await until('the server has ended the session', () => scene.losses > 0)
  },
  cells: { ...unhurt, 'in a transaction': { transaction: 'CONNECTION_LOST not-sent 25P03' } },
}

export const expired: Fault = {
  name: 'the connections are expired',
  notice: 'never',
  hits: 'all',
  strike(scenes) {
    for (const { pool } of scenes) pool.expireConnections()
  },
  cells: unhurt,
}

export const poolClosed: Fault = {
  name: 'the pool is closed',
  notice: 'never',
  hits: 'all',
  endsPool: true,
  strike(scenes) {
    for (const scene of scenes) scene.call('close', scene.pool.close(), false)
  },
  cells: withEnd('done', closed()),
}

export const poolClosedInTime: Fault = {
  name: 'the pool is closed, and the time for that is over',
  notice: 'never',
  hits: 'all',
  endsPool: true,
  async strike(scenes) {
    for (const scene of scenes) scene.call('close', scene.pool.close({ timeout: 300 }), false)
    await Promise.all(scenes.map((scene) => scene.ended(['close'])))
  },
  cells: {
    ...withEnd('POOL_TIMEOUT', terminated()),
    idle: { caller: 'POOL_CLOSED not-sent', close: 'done' },
  },
}

export const poolTerminated: Fault = {
  name: 'the pool is terminated',
  notice: 'never',
  hits: 'all',
  endsPool: true,
  strike: (scenes) => Promise.all(scenes.map(({ pool }) => pool.terminate())),
  cells: terminated(),
}

/** How the call of the pool's `close()` ends, too. */
function withEnd(close: string, cells: Record<string, Ends>): Fault['cells'] {
  const added = Object.entries(cells).map(([state, ends]) => [state, { ...ends, close }])
  return Object.fromEntries(added)
}
