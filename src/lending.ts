import type { Session } from './connection/session.ts'
import type { Clock } from './deadline.ts'
import { Deadlocks } from './deadlocks.ts'
import type { PooledConnection } from './pooled-connection.ts'
import type { AcquireOptions, Lease, ResourcePool } from './pooling/index.ts'

/** The pool's own method that was called, for the stack to begin below it. */
export type Entry = (...args: never[]) => unknown

interface LendingSettings {
  /** Whether it is noted where each connection was acquired. */
  notesHolders: boolean
  detectDeadlocks: boolean
  allowExitOnIdle: boolean
}

/** How the public pool takes connections from the generic one: with what is to be known of who has them. */
export class Lending {
  readonly #resources: ResourcePool<Session>
  readonly #notesHolders: boolean
  readonly #deadlocks: Deadlocks | undefined
  readonly #presence: Presence | undefined

  constructor(resources: ResourcePool<Session>, clock: Clock, settings: LendingSettings) {
    this.#resources = resources
    this.#notesHolders = settings.notesHolders
    if (settings.detectDeadlocks) this.#deadlocks = new Deadlocks(clock, () => resources.maxSize)
    if (settings.allowExitOnIdle) this.#presence = new Presence()
  }

  /** A connection for whoever called `entry`; a name is that of the pool's method whose one statement needs it. */
  acquire(options: AcquireOptions, entry: Entry | string): Promise<Lease<Session>> {
    const holder = () => options.holder ?? (typeof entry === 'string' ? `pool.${entry}()` : callerOf(entry))
    const acquire = this.#notesHolders ? { ...options, holder: holder() } : options
    const lease =
      this.#deadlocks === undefined
        ? this.#resources.acquire(acquire)
        : this.#deadlocks.wait(options.signal, (signal) => this.#resources.acquire({ ...acquire, signal }))
    return this.during(lease)
  }

  /** An idle connection for one statement, or more, of `method`, where it can be had in this very turn. */
  tryAcquire(method: string): Lease<Session> | undefined {
    return this.#resources.tryAcquire(this.#notesHolders ? `pool.${method}()` : undefined)
  }

  /** Keeps the process alive while a caller waits for `wait`, where the pool's own timers do not. */
  during<T>(wait: Promise<T>): Promise<T> {
    return this.#presence === undefined ? wait : this.#presence.during(wait)
  }

  /** Runs a callback that holds `lease` until its end. */
  hold<T>(lease: Lease<Session>, connection: PooledConnection, work: () => Promise<T> | T): Promise<T> | T {
    if (this.#deadlocks === undefined) return work()
    const { holder } = lease
    const held = { holder, isReleased: () => connection.isClosed, isIdle: () => connection.isIdle }
    return this.#deadlocks.hold(held, work)
  }
}

/** Where `entry` was called from, a line a call: `createTask (/app/tasks.ts:12:5)`. */
function callerOf(entry: Entry): string {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, entry)
  const [, ...calls] = (trace.stack ?? '').split('\n')
  return calls.map((call) => call.replace(/^\s*at /, '')).join('\n') || 'an unknown caller'
}

/** A timer that keeps the process alive while somebody waits. */
class Presence {
  #waiting = 0
  #timer: NodeJS.Timeout | undefined

  async during<T>(wait: Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) this.#timer = setInterval(() => {}, 2 ** 31 - 1)
    try {
      return await wait
    } finally {
      if (--this.#waiting === 0) clearInterval(this.#timer)
    }
  }
}
