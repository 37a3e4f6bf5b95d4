import type { Connector } from '../../pooling/index.ts'
import { Step } from './step.ts'

/** A connection that leads nowhere. */
export class ScriptedConnection {
  /** Counted from 1 in the order in which they were asked for. */
  readonly id: number
  /** The connection dies by itself, of `error`. */
  readonly die: (error?: Error) => void
  /** What its pool takes for the number of commands that ran on it. */
  commands = 0

  constructor(id: number, lost: (error: Error) => void) {
    this.id = id
    this.die = (error = new Error(`connection ${id} was lost`)) => lost(error)
  }
}

/** A failed connect that its pool does not try again. Any other error may pass. */
export class PermanentError extends Error {}

export interface ScriptedConnectorOptions {
  /** Whether there is a step before each hand-out. Default: false. */
  setup?: boolean
  /** Whether a reset has something to wait for. Default: false. */
  resetsTakeTime?: boolean
  /** Whether the pool tells when a connection is idle and when it is not any more. Default: false. */
  toldOfRest?: boolean
}

/**
 * Connections without a server, for a `ResourcePool`: each kind of call that the pool makes is a step of the test's, and
 * what exists is counted apart from the pool.
 */
export class ScriptedConnector implements Connector<ScriptedConnection> {
  readonly connects = new Step()
  readonly checks = new Step()
  readonly prepares = new Step()
  readonly resets = new Step()
  readonly closes = new Step()
  readonly terminates = new Step()
  /** Connections that were opened and are not gone. */
  readonly present = new Set<ScriptedConnection>()
  /** Connects under way. */
  connecting = 0
  /** What happened, in order: `connect 1`, `close 1`. */
  readonly log: string[] = []
  /** That of each connect, in order. */
  readonly signals: AbortSignal[] = []
  /** There with the option `setup`. */
  prepare?: (connection: ScriptedConnection) => Promise<void>
  /** There with the option `toldOfRest`. */
  rest?: (connection: ScriptedConnection, isIdle: boolean) => void
  readonly #resetsTakeTime: boolean
  #ids = 0

  constructor(options: ScriptedConnectorOptions = {}) {
    const { setup = false, resetsTakeTime = false, toldOfRest = false } = options
    this.#resetsTakeTime = resetsTakeTime
    if (setup) this.prepare = (connection) => this.#step('prepare', this.prepares, connection)
    if (toldOfRest) this.rest = ({ id }, isIdle) => this.log.push(`${isIdle ? 'rest' : 'rise'} ${id}`)
  }

  async connect(lost: (error: Error) => void, signal: AbortSignal): Promise<ScriptedConnection> {
    this.connecting++
    this.signals.push(signal)
    const connection = new ScriptedConnection(++this.#ids, lost)
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

  check(connection: ScriptedConnection): Promise<void> {
    return this.#step('check', this.checks, connection)
  }

  reset(connection: ScriptedConnection): Promise<void> | undefined {
    return this.#resetsTakeTime ? this.#step('reset', this.resets, connection) : undefined
  }

  commands(connection: ScriptedConnection): number {
    return connection.commands
  }

  async close(connection: ScriptedConnection): Promise<void> {
    await this.#step('close', this.closes, connection)
    this.present.delete(connection)
  }

  async terminate(connection: ScriptedConnection): Promise<void> {
    await this.#step('terminate', this.terminates, connection)
    this.present.delete(connection)
  }

  #step(name: string, step: Step, connection: ScriptedConnection, signal?: AbortSignal): Promise<void> {
    this.log.push(`${name} ${connection.id}`)
    return step.run(signal)
  }
}
