import type { Limits } from './connection/call-limits.ts'
import { Connection } from './connection/connection.ts'
import type { SessionCall } from './connection/queries.ts'
import type { Session } from './connection/session.ts'
import { ConnectionLostError, RockpoolError } from './errors.ts'
import type { Lease } from './pooling/index.ts'

/** Whether `error` is that of a call that `session` did not run, because it could not be reset first. */
export function wasNotReset(error: unknown, session: Session): boolean {
  return session.isUnfit && error instanceof ConnectionLostError && error.outcome === 'not-sent'
}

/**
 * What keeps a statement from its connection keeps it from the server, whatever became of the statement that the error
 * was about before: that of a hook.
 */
export function notSent(error: unknown): never {
  if (error instanceof RockpoolError) Object.assign(error, { outcome: 'not-sent' })
  throw error
}

/**
 * A connection that a pool lent, until it is released. Where the session turns out not to have forgotten its last owner,
 * before anything ran on it for this one, another takes its place unseen.
 */
export class PooledConnection extends Connection {
  /** Whose it is. */
  readonly owner: object
  readonly #another: (holder: string | undefined) => Promise<Lease<Session>>
  #lease: Lease<Session>
  #move: Promise<void> | undefined

  /** `another` acquires the connection that replaces one of no use. */
  constructor(
    owner: object,
    lease: Lease<Session>,
    another: (holder: string | undefined) => Promise<Lease<Session>>,
  ) {
    super(lease.connection, {
      release: async (connection) => {
        connection.end('connection has been released back to the pool')
        ;(connection as PooledConnection).#lease.release()
      },
    })
    this.owner = owner
    this.#lease = lease
    this.#another = another
  }

  /** Whether the server has answered everything. */
  get isIdle(): boolean {
    return this.session.isIdle
  }

  protected override callSession<T>(
    method: string,
    sql: string,
    limits: Limits,
    call: SessionCall<T>,
  ): Promise<T> {
    const { session } = this
    const result = super.callSession(method, sql, limits, call)
    if (!session.isResetting && !session.isUnfit) return result
    return result.catch(async (error: unknown) => {
      if (!wasNotReset(error, session)) throw error
      await session.before(this.#leave(session), session.limits(limits.timeout, limits.signal))
      return this.callSession(method, sql, limits, call)
    })
  }

  protected override settled(): Promise<void> | undefined {
    const { session } = this
    return session.isResetting || session.isUnfit ? this.#settle(session) : undefined
  }

  async #settle(session: Session): Promise<void> {
    await session.whenReset()
    if (!session.isUnfit) return
    await this.#leave(session)
    await this.settled()
  }

  /** However many calls were not run on `session`, it is replaced once. */
  #leave(session: Session): Promise<void> {
    if (this.session === session) {
      this.#move ??= this.#replace().finally(() => {
        this.#move = undefined
      })
    }
    return this.#move ?? Promise.resolve()
  }

  async #replace(): Promise<void> {
    this.#lease.release()
    const lease = await this.#another(this.#lease.holder).catch(notSent)
    if (this.hasEnded) lease.release()
    else {
      this.#lease = lease
      this.session.listeners.handOver(lease.connection.listeners)
      this.session = lease.connection
    }
  }
}
