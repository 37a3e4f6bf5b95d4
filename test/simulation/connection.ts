import type { Caller } from './callers.ts'
import type { Holding } from './holding.ts'

/** What happens to the slot of a connection, as the connector's calls and the pool's events tell it. `gone`: it has none any more. */
export const states = [
  'connecting',
  'idle',
  'checking',
  'preparing',
  'leased',
  'resetting',
  'closing',
  'terminating',
  'gone',
] as const
export type State = (typeof states)[number]

/** One connection, from the call of `connect` on, as it really is. */
export class SimulatedConnection {
  /** Written by the model alone. */
  state: State = 'connecting'
  /** Since when it is in this state. */
  since = 0
  /** The state before it began to leave. */
  leftFrom: State = 'connecting'
  /** The pool was told that it died. */
  isDead = false
  /** It died, or its server hangs, and nobody was told. */
  isSilent = false
  /** Its user has closed it. */
  isEnded = false
  /** The pool has told its connect to end. */
  isAborted = false
  /** Its `setup` or its reset runs. */
  isBusy = false
  /** It has run `maxQueries` commands and was given back since. */
  isWorn = false
  /** Opened or reset since its last user: whoever gets it finds a clean session. */
  isFit = false
  /** The session state that somebody left on it: the number of the lease, 0 where there is none. */
  tag = 0
  commands = 0
  openedAt = Number.NaN
  /** Of its opening or its last release. */
  usedAt = 0
  /** When it last showed that it lives, as the pool may count it. */
  provenAt = 0
  /** Which rest on the idle stack this is: the later, the sooner it is used. */
  rest = 0
  wasLeased = false
  /** When it began to leave, there were more connections than the floor, or than the pool, may have. */
  wasAboveFloor = false
  wasAboveMost = false
  closeReason: string | undefined
  /** Whom it is being prepared for. */
  caller: Caller | undefined
  holding: Holding | undefined
  readonly id: number
  /** Which `expire` came before its connect. */
  readonly generation: number
  /** How many connects and failures there were before. */
  readonly begun: number
  readonly lost: (error: Error) => void

  constructor(id: number, generation: number, begun: number, lost: (error: Error) => void) {
    this.id = id
    this.generation = generation
    this.begun = begun
    this.lost = lost
  }
}
