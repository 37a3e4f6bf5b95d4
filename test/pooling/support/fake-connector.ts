import type { Connector } from '../../../src/pooling/index.ts'

export class FakeConnection {
  readonly id: number
  /** The connection dies by itself. */
  readonly die: (error?: Error) => void
  commands = 0

  constructor(id: number, lost: (error: Error) => void) {
    this.id = id
    this.die = (error = new Error(`connection ${id} was lost`)) => lost(error)
  }
}

interface Held {
  resolve(): void
  reject(error: unknown): void
}

/** One kind of call that the pool makes: it succeeds, or fails, or is held until the test settles it. */
export class Step {
  calls = 0
  #held: Held[] = []
  #holding = false
  #failure: { error: unknown } | undefined

  /** Holds the calls from now on. */
  hold(): void {
    this.#holding = true
    this.#failure = undefined
  }

  /** Fails the calls from now on. */
  fail(error: unknown): void {
    this.#failure = { error }
    this.#holding = false
  }

  /** Lets the calls from now on succeed; those that are held stay so. */
  pass(): void {
    this.#holding = false
    this.#failure = undefined
  }

  get held(): number {
    return this.#held.length
  }

  /** Ends the call that is held longest, or the one at `index`. */
  succeed(index = 0): void {
    this.#take(index).resolve()
  }

  reject(error: unknown, index = 0): void {
    this.#take(index).reject(error)
  }

  run(signal?: AbortSignal): Promise<void> {
    this.calls++
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (!this.#holding) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const held: Held = { resolve, reject }
      this.#held.push(held)
      signal?.addEventListener('abort', () => {
        this.#held = this.#held.filter((other) => other !== held)
        reject(signal.reason)
      })
    })
  }

  #take(index: number): Held {
    const [held] = this.#held.splice(index, 1)
    if (held === undefined) throw new Error(`no call is held at ${index}`)
    return held
  }
}

export class PermanentError extends Error {}

/** Connections without a server: every step is the test's to settle, and what exists is counted apart from the pool. */
export class FakeConnector implements Connector<FakeConnection> {
  readonly connects = new Step()
  readonly checks = new Step()
  readonly prepares = new Step()
  readonly resets = new Step()
  readonly closes = new Step()
  readonly terminates = new Step()
  /** Connections that were opened and are not gone. */
  readonly present = new Set<FakeConnection>()
  /** Connects under way. */
  connecting = 0
  /** What happened, in order: `connect 1`, `close 1`. */
  readonly log: string[] = []
  readonly signals: AbortSignal[] = []
  /** Set where the pool has a `setup` hook. */
  prepare?: (connection: FakeConnection) => Promise<void>
  /** Whether a reset has something to wait for. */
  readonly resetsTakeTime: boolean
  #ids = 0

  constructor({ setup = false, resetsTakeTime = false } = {}) {
    this.resetsTakeTime = resetsTakeTime
    if (setup) this.prepare = (connection) => this.#step('prepare', this.prepares, connection)
  }

  async connect(lost: (error: Error) => void, signal: AbortSignal): Promise<FakeConnection> {
    this.connecting++
    this.signals.push(signal)
    const connection = new FakeConnection(++this.#ids, lost)
    try {
      await this.#step('connect', this.connects, connection, signal)
      this.present.add(connection)
      return connection
    } finally {
      this.connecting--
    }
  }

  isPermanent(error: unknown): boolean {
    return error instanceof PermanentError
  }

  check(connection: FakeConnection): Promise<void> {
    return this.#step('check', this.checks, connection)
  }

  reset(connection: FakeConnection): Promise<void> | undefined {
    return this.resetsTakeTime ? this.#step('reset', this.resets, connection) : undefined
  }

  commands(connection: FakeConnection): number {
    return connection.commands
  }

  async close(connection: FakeConnection): Promise<void> {
    await this.#step('close', this.closes, connection)
    this.present.delete(connection)
  }

  async terminate(connection: FakeConnection): Promise<void> {
    await this.#step('terminate', this.terminates, connection)
    this.present.delete(connection)
  }

  #step(name: string, step: Step, connection: FakeConnection, signal?: AbortSignal): Promise<void> {
    this.log.push(`${name} ${connection.id}`)
    return step.run(signal)
  }
}
