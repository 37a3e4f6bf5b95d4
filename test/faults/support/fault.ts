import type { PoolOptions } from '../../../src/index.ts'
import type { Replication } from '../../support/primary-and-standby.ts'
import type { TestServer } from '../../support/servers.ts'
import type { Observer } from './observer.ts'
import type { Scene } from './scene.ts'
import type { StateName } from './states.ts'

/** Where the cells of one fault happen. */
export interface Ground {
  server: TestServer
  /** Where there are two servers, in the place of `server`. */
  replication: Replication | undefined
  /** What the pools are to try in turn. */
  addresses: readonly { host: string; port: number }[]
  /** Of a database that no other fault uses at the time. */
  dsn: string
  observer: Observer
}

/**
 * How a pool gets to know of a fault: `'told'` by the server's word or the end of a socket, `'when used'` again, `'by
 * time'` that passes without an answer, `'never'` where there is nothing to know.
 */
export type Notice = 'told' | 'when used' | 'by time' | 'never'

/** How each call of a state ends, by its name: as `endOf` tells it. */
export type Ends = Readonly<Record<string, string | RegExp>>

/** One row of the table of faults, and what it does in each state of a connection. */
export interface Fault {
  name: string
  notice: Notice
  /** Which of a pool's connections it hurts: that of the victim, or all. */
  hits: 'one' | 'all'
  /** A server of its own, where others would suffer; or a primary and its standby. Default: the one that all share. */
  needs?: 'own server' | 'two servers'
  /** Whether the network is what fails. */
  behindProxy?: true
  /** What the pool is made with for it. */
  options?: PoolOptions
  serverSettings?: Record<string, string>
  /** Makes it, for all the scenes at once; one that shows by time, for each as it is ready. */
  strike(scenes: readonly Scene[], ground: Ground): Promise<unknown> | unknown
  /** Whether the server mends itself from then on. */
  mendsItself?: true
  /** Ends it. */
  end?(scenes: readonly Scene[], ground: Ground): Promise<unknown> | unknown
  /** Whether the pool recovers while the fault lasts: it ends only afterwards. */
  lasts?: true
  /** Whether every connection outlives it. */
  keepsConnections?: true
  /** Whether it is the end of the pool. */
  endsPool?: true
  /** How the calls of each state end, or why it cannot meet that state. */
  cells: Readonly<Record<StateName, Ends | Senseless>>
}

/** A cell that makes no sense, and why. */
export class Senseless {
  readonly why: string

  constructor(why: string) {
    this.why = why
  }
}
