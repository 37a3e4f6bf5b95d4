import { Pool, type PoolOptions } from '../../../src/index.ts'
import { FaultProxy } from '../../../src/testing/index.ts'
import { until } from '../../support/until.ts'
import { endOf } from './end-of.ts'
import type { Fault, Ground } from './fault.ts'
import type { Continuation, State } from './states.ts'

/** Ample: nothing ends by them but what the fault makes end. */
const patient: PoolOptions = {
  acquireTimeout: '20s',
  checkTimeout: '20s',
  hookTimeout: '20s',
  closeTimeout: '20s',
}

/** Where only time tells. A statement has begun long before its time is over, also on a busy machine. */
const limited: PoolOptions = {
  acquireTimeout: '20s',
  commandTimeout: '2500ms',
  cancelTimeout: '300ms',
  checkTimeout: '800ms',
  hookTimeout: '800ms',
  closeTimeout: '800ms',
}

/** For calls that outlive the fault. */
export const outlives = { timeout: '20s' } as const

/** One call of a user, and how it ended, once it has. */
interface Call {
  writes: boolean
  told: string | undefined
}

/** One cell at work: a pool with a connection that is brought into a state, and its users. */
export class Scene {
  readonly ground: Ground
  readonly state: State
  /** By which the pool's backends are known in the fault's database. */
  readonly applicationName: string
  /** The lock that statements wait for, held by the observer from `lock()` to `letGo()`. */
  readonly key: number
  readonly pool: Pool
  readonly proxy: FaultProxy | undefined
  /** What its users' calls listen to. */
  readonly controller = new AbortController()
  /** The backend that the fault is about. */
  victim = 0
  /** What its state leaves to be done. */
  next: Continuation = {}
  /** Resolves when the connection that its user held all the time is given back. */
  released: Promise<unknown> = Promise.resolve()
  readonly #calls = new Map<string, Call>()

  private constructor(
    ground: Ground,
    fault: Fault,
    state: State,
    key: number,
    proxy: FaultProxy | undefined,
  ) {
    const [, ...others] = ground.addresses
    const addresses = [proxy ?? ground.addresses[0]!, ...others]
    this.ground = ground
    this.state = state
    this.key = key
    this.proxy = proxy
    this.applicationName = `${state.name} in ${fault.name}`.slice(0, 60)
    this.pool = new Pool(ground.dsn, {
      host: addresses.map(({ host }) => host),
      port: addresses.map(({ port }) => port),
      minSize: 2,
      maxSize: 2,
      ssl: false,
      serverSettings: { application_name: this.applicationName, ...fault.serverSettings },
      ...(fault.notice === 'by time' ? limited : patient),
      ...state.options?.(key),
      ...fault.options,
    })
  }

  static async open(ground: Ground, fault: Fault, state: State, key: number): Promise<Scene> {
    const needsProxy = fault.behindProxy || state.behindProxy
    const { host, port } = ground.addresses[0]!
    const proxy = needsProxy ? await FaultProxy.start({ host, port }) : undefined
    return new Scene(ground, fault, state, key, proxy)
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  /** From now on the statements that `wait` stand still. */
  lock(): Promise<unknown> {
    return this.ground.observer.lock(this.key)
  }

  /** Whatever holds the state up is let go. */
  async letGo(): Promise<void> {
    this.next.letGo?.()
    await this.ground.observer.unlock(this.key)
  }

  /** Resolves with the first of the backends that stand still, once there are so many. */
  async standing(count: number): Promise<number> {
    const { observer } = this.ground
    return until(`${count} statements of "${this.applicationName}" wait`, async () => {
      const waiting = await observer.waitingFor(this.key)
      return waiting.length === count && waiting[0]
    })
  }

  /** Notes how a call ends; that it may reject is expected. `writes`: whether it has an entry in the ledger. */
  call(name: string, work: Promise<unknown>, writes = true): void {
    const { signal } = this
    const call: Call = { writes, told: undefined }
    this.#calls.set(name, call)
    const seen = work.catch((error: unknown) => {
      throw signal.aborted && error === signal.reason ? new Error('aborted') : error
    })
    endOf(seen).then((told) => {
      call.told = told
    })
  }

  /** What a call of this name writes. */
  entry(name: string): string {
    return `${this.state.name}: ${name}`
  }

  /** Writes as a statement by itself, for as long as it takes. */
  writeOnPool(name: string): void {
    const { signal } = this
    this.call(name, this.pool.execute(write, [this.entry(name)], { signal, ...outlives }))
  }

  get ends(): Record<string, string | undefined> {
    return Object.fromEntries([...this.#calls].map(([name, { told }]) => [name, told]))
  }

  /** The calls that write, with their ends. */
  get writes(): [name: string, end: string][] {
    const calls = [...this.#calls].filter(([, { writes }]) => writes)
    return calls.map(([name, { told }]) => [name, told!])
  }

  /** Resolves once the named calls have ended. */
  async ended(names: Iterable<string> = this.#calls.keys()): Promise<void> {
    for (const name of names) {
      const call = this.#calls.get(name)
      if (call === undefined) throw new Error(`there is no call "${name}"`)
      await until(`"${name}" of "${this.applicationName}" ends`, () => call.told !== undefined, 10_000)
    }
  }

  /** How many open connections the pool has lost or given up. */
  get closed(): number {
    return Object.values(this.pool.stats().totals.closed).reduce((sum, count) => sum + count, 0)
  }

  /** The same, with the attempts to connect. */
  get losses(): number {
    return this.closed + this.pool.stats().totals.connectFailures
  }

  async close(): Promise<void> {
    await this.pool.terminate()
    await this.proxy?.close()
  }
}

export const write = 'insert into ledger values ($1)'
/** Writes once the lock is free. */
export const writeWhenFree = 'insert into ledger select $1 where pg_advisory_xact_lock_shared($2) is not null'
/** Its COMMIT waits until the lock is free. */
export const writeAtCommit = 'insert into ledger values ($1, $2)'

/** The ledger of all cells of a fault. */
export const ledger = `
  create table ledger (entry text, waits_for bigint);
  create function wait_at_commit() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(new.waits_for); return null; end $$;
  create constraint trigger waits after insert on ledger deferrable initially deferred
    for each row when (new.waits_for is not null) execute function wait_at_commit();
`
