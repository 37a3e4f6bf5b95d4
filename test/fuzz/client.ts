import { judgeServer } from '../../src/connection/connecting/server-kind.ts'
import { Connection } from '../../src/connection/connection.ts'
import { Session } from '../../src/connection/session.ts'
import { resolveSessionOptions } from '../../src/connection/session-options.ts'
import type { Clock } from '../../src/deadline.ts'
import { connectFailure } from '../../src/wire/connect-failure.ts'
import { type EstablishedSession, startOver } from '../../src/wire/startup.ts'
import type { MemorySocket } from './memory-socket.ts'
import { canary, type Login } from './recordings.ts'
import { type Workload, type WorkloadName, workloads } from './workloads.ts'

/** What became of one call of the client's. */
export type Outcome = { value: unknown } | { error: unknown }

/** Nothing is ever there: a cancel that is sent to it fails at once. */
const address = { host: '/nowhere-at-all', port: 5432 }
const never = new AbortController().signal

/** A client as `connect()` makes it, on a socket that is open, and its work; `outcomes` grows as the calls settle. */
export class Client {
  readonly outcomes: Outcome[] = []
  /** Resolves when every call has settled. */
  readonly done: Promise<void>
  #session: Session | undefined
  readonly #socket: MemorySocket
  readonly #clock: Clock

  constructor(socket: MemorySocket, login: Login, workload: WorkloadName | undefined, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    this.done = this.#run(login, workload === undefined ? undefined : workloads[workload])
  }

  /** Undefined before the session is started, and where it never was. */
  get session(): Session | undefined {
    return this.#session
  }

  async #run(login: Login, workload: Workload | undefined): Promise<void> {
    await this.#call(async () => {
      const established = await this.#logIn(login)
      const settings = resolveSessionOptions({ commandTimeout: '30s', ...workload?.options }, this.#clock)
      this.#session = new Session(established, settings, { lost() {} })
    })
    if (this.#session === undefined || workload === undefined) return
    const session = this.#session
    const connection = new Connection(session, { release: (released) => released.close() })
    await workload.run({ connection, session, call: (work) => this.#call(work) })
  }

  async #logIn({ user, database, asksForWrites }: Login): Promise<EstablishedSession> {
    try {
      const request = {
        address,
        tls: undefined,
        user,
        database,
        password: canary,
        serverSettings: {},
        authentication: { requireAuth: undefined, channelBinding: 'prefer' as const },
        keepAlive: 0,
      }
      const started = await startOver({ socket: this.#socket.asSocket, encrypted: undefined }, request, never)
      if (!asksForWrites) return started
      // Newer servers report what is asked for here, which would spare the question.
      for (const name of ['in_hot_standby', 'default_transaction_read_only']) started.parameters.delete(name)
      return (await judgeServer(started, 'read-write', never)).session
    } catch (error) {
      throw connectFailure(address, error)
    }
  }

  async #call(work: () => Promise<unknown>): Promise<void> {
    try {
      this.outcomes.push({ value: await work() })
    } catch (error) {
      this.outcomes.push({ error })
    }
  }
}
