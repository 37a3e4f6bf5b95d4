import { openSession, pick } from './connection/connect.ts'
import {
  connectOptionNames,
  describeTarget,
  type ResolvedConnectOptions,
  resolveConnectOptions,
} from './connection/connect-options.ts'
import { Connection } from './connection/connection.ts'
import { resetReleased } from './connection/reset.ts'
import type { Session, SessionSettings } from './connection/session.ts'
import { resolveSessionOptions } from './connection/session-options.ts'
import { SimpleCommand } from './connection/simple-command.ts'
import { type Clock, withDeadline } from './deadline.ts'
import { formatDuration } from './duration.ts'
import { ConnectError, ConnectionLostError, InterfaceError, type PostgresReport } from './errors.ts'
import type { PoolHooks, PoolOptions } from './options.ts'
import type { Connector } from './pooling/index.ts'

const noLimits = { timeout: 0, signal: undefined }

/** What makes the generic pool one of PostgreSQL sessions. */
export class SessionConnector implements Connector<Session> {
  readonly prepare?: (session: Session) => Promise<void>
  readonly #hooks: PoolHooks
  readonly #hookTimeout: number
  readonly #clock: Clock
  readonly #warn: (report: PostgresReport) => void
  #target: ResolvedConnectOptions
  #settings: SessionSettings

  /** @throws InterfaceError naming what is wrong in the DSN or the options. */
  constructor(
    dsn: string | undefined,
    options: PoolOptions,
    environment: { clock: Clock; hookTimeout: number; warn: (report: PostgresReport) => void },
  ) {
    this.#clock = environment.clock
    this.#hookTimeout = environment.hookTimeout
    this.#warn = environment.warn
    this.#hooks = { init: options.init, setup: options.setup }
    this.#target = resolveConnectOptions(dsn, pick(options, connectOptionNames))
    this.#settings = resolveSessionOptions(options, environment.clock)
    const { setup } = options
    if (setup !== undefined) this.prepare = (session) => lend(session, 'setup', setup)
  }

  /** Where connections lead, without the password. */
  get target(): string {
    return describeTarget(this.#target)
  }

  /** The time-out of a command whose caller names none, in milliseconds; 0: none. */
  get commandTimeout(): number {
    return this.#settings.commandTimeout
  }

  /** Every later connect goes there. */
  retarget(dsn: string | undefined, options: PoolOptions): void {
    this.#target = resolveConnectOptions(dsn, pick(options, connectOptionNames))
    this.#settings = resolveSessionOptions(options, this.#clock)
  }

  async connect(lost: (error: Error) => void, signal: AbortSignal): Promise<Session> {
    const session = await openSession(this.#target, this.#settings, { lost, notice: () => {} }, signal)
    const { init } = this.#hooks
    if (init === undefined) return session
    try {
      await this.#bound('init', lend(session, 'init', init))
    } catch (error) {
      await session.terminate('its init hook failed')
      throw error
    }
    return session
  }

  isPermanent(error: unknown): boolean {
    if (error instanceof ConnectError) return error.permanent
    return !(error instanceof ConnectionLostError)
  }

  async check(session: Session): Promise<void> {
    await session.runUncounted(new SimpleCommand(session, ''), noLimits)
  }

  reset(session: Session): Promise<void> | undefined {
    return resetReleased(session, this.#warn)
  }

  commands(session: Session): number {
    return session.commands
  }

  close(session: Session): Promise<void> {
    return session.close()
  }

  terminate(session: Session): Promise<void> {
    return session.terminate('the connection was terminated by its pool')
  }

  #bound(hook: string, work: Promise<void>): Promise<void> {
    return withDeadline(this.#clock, this.#hookTimeout, work, () => {
      const limit = formatDuration(this.#hookTimeout)
      return new InterfaceError(`the ${hook} hook did not end within ${limit} (hookTimeout)`)
    })
  }
}

/** Runs a hook on a connection that it can use until it ends. */
async function lend(
  session: Session,
  hook: string,
  run: (connection: Connection) => Promise<void> | void,
): Promise<void> {
  const connection = new Connection(session, {
    release: () => {
      throw new InterfaceError(`the ${hook} hook cannot release its connection: the pool does`)
    },
  })
  try {
    await run(connection)
  } finally {
    connection.end(`the ${hook} hook, which it was for, has ended`)
  }
}
