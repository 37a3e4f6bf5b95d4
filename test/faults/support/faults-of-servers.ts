import { until } from '../../support/until.ts'
import { cancelled, lost, timedOut, unhurt } from './expectations.ts'
import type { Fault } from './fault.ts'
import type { Scene } from './scene.ts'
import { isAlive, postmaster, signal, start, stop } from './server-control.ts'

const victims = (scenes: readonly Scene[]) => scenes.map(({ victim }) => victim)

/** Resolves once every pool has failed so often that its delays between two attempts are the longest. */
function backedOff(scenes: readonly Scene[]): Promise<unknown> {
  return until('every pool has failed six times', () =>
    scenes.every(({ pool }) => pool.stats().totals.connectFailures >= 6),
  )
}

export const ended: Fault = {
  name: 'a backend is ended (57P01)',
  notice: 'told',
  hits: 'one',
  strike: (scenes, { observer }) =>
    observer.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [victims(scenes)]),
  cells: lost('one', '57P01'),
}

export const cancelledByAnother: Fault = {
  name: 'a statement is cancelled by somebody else (57014)',
  notice: 'never',
  hits: 'one',
  strike: (scenes, { observer }) =>
    observer.query('select pg_cancel_backend(pid) from unnest($1::int[]) pid', [victims(scenes)]),
  cells: cancelled('one', 'POSTGRES', '57014'),
}

export const frozen: Fault = {
  name: 'a backend is frozen',
  notice: 'by time',
  hits: 'one',
  needs: 'own server',
  lasts: true,
  strike: (scenes) => signal(victims(scenes), 'SIGSTOP'),
  end: (scenes) => signal(victims(scenes), 'SIGCONT'),
  cells: timedOut('one'),
}

export const crashed: Fault = {
  name: 'a backend crashes, and with it all sessions',
  notice: 'told',
  hits: 'all',
  needs: 'own server',
  /** Until the postmaster has seen that one crashed, and has ended the others, it accepts connections as ever. */
  async strike(scenes, { observer }) {
    const sessions = await observer.query<{ pid: number }>(
      "select pid from pg_stat_activity where backend_type = 'client backend'",
    )
    signal(victims(scenes).slice(0, 1), 'SIGKILL')
    await until('all sessions have ended', () => !sessions.some(({ pid }) => isAlive(pid)))
  },
  mendsItself: true,
  cells: lost('all'),
}

export const stoppedFast: Fault = {
  name: 'the server is stopped and started',
  notice: 'told',
  hits: 'all',
  needs: 'own server',
  strike: (_scenes, { server }) => stop(server, 'fast'),
  async end(scenes, { server }) {
    await backedOff(scenes)
    await start(server)
  },
  cells: lost('all', '57P01'),
}

export const stoppedAtOnce: Fault = {
  name: 'the server is stopped like by a crash, and started',
  notice: 'told',
  hits: 'all',
  needs: 'own server',
  strike: (_scenes, { server }) => stop(server, 'immediate'),
  end: (_scenes, { server }) => start(server),
  cells: lost('all'),
}

export const postmasterFrozen: Fault = {
  name: 'the postmaster is frozen',
  notice: 'never',
  hits: 'all',
  needs: 'own server',
  strike: async (_scenes, { server }) => signal([await postmaster(server)], 'SIGSTOP'),
  end: async (_scenes, { server }) => signal([await postmaster(server)], 'SIGCONT'),
  cells: unhurt,
}

export const failedOver: Fault = {
  name: 'the primary goes, and its standby takes its place',
  notice: 'told',
  hits: 'all',
  needs: 'two servers',
  options: { targetSessionAttrs: 'read-write' },
  strike: (_scenes, { replication }) => replication!.primary.stop(),
  async end(_scenes, { replication, observer }) {
    await replication!.promote()
    observer.moveTo(replication!.standby.dsn)
  },
  cells: lost('all', '57P01'),
}
