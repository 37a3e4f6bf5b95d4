import type { FaultProxy } from '../../../src/testing/index.ts'
import type { Random } from '../../pool/support/tenants.ts'
import type { Deed } from '../messages.ts'
import type { SoakServer } from '../server.ts'

/** What a fault is made of. */
export interface Scene {
  readonly server: SoakServer
  readonly proxy: FaultProxy
  readonly random: Random
  readonly loadPid: number
  /** Lasts shorter where the soak ends. */
  pause(ms: number): Promise<void>
  /** Has the load do something to itself. */
  ask(deed: Deed): void
}

export interface Fault {
  readonly name: string
  /** How long, in milliseconds, calls may still wait behind its end, for deadlines of their own. Default 0. */
  readonly silence?: number
  /** Makes it, lets it last, and ends it, also where it fails on the way. */
  run(scene: Scene): Promise<void>
  /** What is still to be done when everybody should have got over it. */
  tidyUp?(scene: Scene): Promise<void> | void
}

/** From `least` to `most` seconds. */
export function lasting({ random, pause }: Scene, least: number, most: number): Promise<void> {
  return pause(least * 1_000 + random.below((most - least) * 1_000 + 1))
}

/** The server processes of the pools. */
export async function poolBackends({ server }: Scene): Promise<number[]> {
  const rows = await server.query<{ pid: number }>(
    `select pid from pg_stat_activity where backend_type = 'client backend' and usename = 'soak' order by random()`,
  )
  return rows.map(({ pid }) => pid)
}

/** Sends a signal to those of the processes that still are. */
export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** Stops the processes, and lets them go on in the end. */
export async function freeze(pids: readonly number[], meanwhile: () => Promise<void>): Promise<void> {
  signal(pids, 'SIGSTOP')
  try {
    await meanwhile()
  } finally {
    signal(pids, 'SIGCONT')
  }
}
