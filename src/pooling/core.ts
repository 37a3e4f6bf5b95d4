import type { Clock } from '../deadline.ts'
import type { Connector, Environment } from './connector.ts'
import { Events } from './events.ts'
import { timeOut } from './exhaustion.ts'
import { LeakWatch } from './leak-watch.ts'
import type { PoolSettings } from './settings.ts'
import { SlotTable } from './slot.ts'
import { type PoolTotals, zeroTotals } from './stats.ts'
import { WaitQueue } from './wait-queue.ts'

/** `new`: nothing was opened yet. `closing`: no new callers, those who wait are served. */
export type Phase = 'new' | 'open' | 'suspended' | 'closing' | 'terminating' | 'closed'

/** What the pool's policies share: each of them acts on it, and none of them keeps a copy. */
export class PoolCore<C> {
  phase: Phase = 'new'
  minSize: number
  /** Counts the calls of `expire`; connections of an earlier generation are replaced. */
  generation = 0
  /** Failed liveness checks since one succeeded or a connection was opened. */
  failedChecks = 0
  /** Why the last connect failed; undefined once one has succeeded. */
  connectFailure: unknown
  readonly connector: Connector<C>
  readonly settings: PoolSettings
  readonly clock: Clock
  readonly random: () => number
  readonly slots: SlotTable<C>
  readonly queue: WaitQueue<C>
  readonly events = new Events<C>()
  /** Where `leakThreshold` asks for it. */
  readonly leaks: LeakWatch<C> | undefined
  readonly totals: PoolTotals = zeroTotals()
  /** Has to be called after every change: it does what the new situation asks for. */
  readonly pump: (now: number) => void

  constructor(
    connector: Connector<C>,
    settings: PoolSettings,
    { clock, random }: Environment,
    pump: (now: number) => void,
  ) {
    this.connector = connector
    this.settings = settings
    this.clock = clock
    this.random = random
    this.pump = pump
    this.minSize = settings.minSize
    if (settings.leakThreshold > 0) this.leaks = new LeakWatch(settings.leakThreshold, clock, this.events)
    this.slots = new SlotTable(clock, settings.maxSize, connector.rest?.bind(connector))
    this.queue = new WaitQueue(
      clock,
      (waiters, now) => {
        timeOut(this, waiters, now)
        pump(now)
      },
      () => pump(clock.now()),
    )
  }

  /** Whether those who wait get connections. */
  get serves(): boolean {
    return this.phase === 'open' || this.phase === 'closing'
  }

  /** Whether `minSize` connections are kept. */
  get keepsFloor(): boolean {
    return this.phase === 'open' || this.phase === 'suspended'
  }
}
