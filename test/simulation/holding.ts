import type { Lease } from '../../src/pooling/index.ts'
import type { Caller } from './callers.ts'
import type { SimulatedConnection } from './connection.ts'

/** One hand-out, from the event that told it to its release. */
export class Holding {
  /** There once the caller has it. */
  lease: Lease<SimulatedConnection> | undefined
  isReleased = false
  /** Those who share it, and those who do not know yet that they do: it is released behind the last of them. */
  sharers = 0
  arriving = 0
  /** Reported as a leak. */
  isReported = false
  readonly number: number
  readonly connection: SimulatedConnection
  readonly caller: Caller
  readonly since: number

  constructor(number: number, connection: SimulatedConnection, caller: Caller, since: number) {
    this.number = number
    this.connection = connection
    this.caller = caller
    this.since = since
  }
}
