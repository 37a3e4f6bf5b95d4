import type { ConnectionLostError, Outcome, PostgresError } from '../errors.ts'
import { brokenProtocol } from './frame-reader.ts'
import type { BodyReader, TransactionStatus } from './messages.ts'
import type { OutBuffer } from './out-buffer.ts'

/** What a COPY needs of its connection, for as long as it lasts ("COPY Operations", protocol-flow). */
export interface DataFlow {
  /** What is written here is sent by `flush`, or when what goes on now is over with `flushSoon`. */
  readonly out: OutBuffer
  flush(): void
  flushSoon(): void
  /** Sends `bytes` behind what is in `out`. They may be written anew once `isTaken`. */
  send(bytes: Buffer): void
  /** Whether the system has all that was sent. */
  readonly isTaken: boolean
  /** Resolves in a later turn of the event loop, once what was flushed is with the system or the connection is gone. */
  whenWritable(): Promise<void>
  /** Nothing more is read until `resume`; messages that have been read already still come. */
  pause(): void
  resume(): void
}

/** What a request says at its ReadyForQuery: it is over, or it has more to write. */
export type Continuation = 'done' | 'again'

/** Makes the error of a request that a lost connection took along. */
export type Loss = (outcome: Outcome) => ConnectionLostError

/**
 * One thing asked of the server, from its first byte to the ReadyForQuery that ends it. The pipeline calls the
 * methods; each answer that a kind of request does not expect breaks the protocol.
 */
export abstract class Request {
  /** The pipeline's link to the request behind this one. */
  next: Request | undefined
  /** While true, nothing is written behind this request until its ReadyForQuery; `resume` may end it before. */
  alone = false
  /** Whether what was written ends with Flush; once it is described, or refused, `resume` writes the rest. */
  paused = false
  /** Whether its caller may give up, so that the server may be asked to cancel it. */
  cancellable = false
  /** Whether `prepare` was called since the request was last to be written. */
  prepared = false

  /** Whether what was written ends with a Sync of its own. That of a prelude is written when no follower has come. */
  hasSync = true

  /**
   * Whether it has to succeed before anything else runs. It writes no Sync itself: the next request, where that comes
   * in the same turn and is a follower, is written behind it under one Sync, so that the server skips it should the
   * prelude fail. It is written again then, behind what the prelude has to write, or else the connection is of no use.
   */
  get isPrelude(): boolean {
    return false
  }

  /** Of a prelude: whether it is still to succeed, has done so, or cannot, so that what is behind it was skipped. */
  get fate(): 'open' | 'succeeded' | 'failed' {
    return 'open'
  }

  /** Whether it may be written behind a prelude under one Sync: it ends with a Sync, and not with a Query. */
  get isFollower(): boolean {
    return false
  }

  /**
   * Whether a cancel that misses its aim and hits this request would show: what was cancelled cannot be run again
   * unseen. Such a request is not written while one that may be cancelled is in flight before it.
   */
  get isFragile(): boolean {
    return false
  }

  /** Whether the request is written only where nothing is in flight. */
  get isSolitary(): boolean {
    return false
  }

  /** Whether nobody waits for the request any more though it was never written. */
  get isMoot(): boolean {
    return false
  }

  /** Comes before `write`, and may run the user's code, which may use this very pipeline. Fails like `write`. */
  prepare(): void {}
  /**
   * Writes the request's messages up to one Sync or Query, or up to a Flush (`paused`, and `alone`). What it throws
   * becomes its failure: nothing of it is sent.
   */
  abstract write(out: OutBuffer): void
  /**
   * Called behind `write` and `resume` while the request is paused: more of it than is to wait in memory is written here
   * in the turns to come. Whoever writes its Sync, ends the pause; then nothing of it may be written any more.
   */
  stream(_flow: DataFlow): void {}
  /** The request was refused by its own `write`. */
  abstract refused(error: unknown): void
  /** The server reported an error; it skips everything up to the request's end. */
  abstract error(error: PostgresError): void
  abstract ready(status: TransactionStatus): Continuation
  abstract lost(loss: Loss, outcome: Outcome): void
  /** Writes what is left of a paused request, up to one Sync; what it throws breaks the connection. */
  resume(_out: OutBuffer): void {
    throw brokenProtocol('a request was answered that was over')
  }
  /** The prelude before it failed: what was written of this request came to nothing, and it is written again. */
  skipped(): void {}
  /** Every request before this one is over: the server works on this one, or is about to. */
  reachedHead(): void {}

  bindComplete(): void {}

  commandComplete(_tag: string): void {
    throw brokenProtocol('a command ended that was not asked for')
  }

  emptyQuery(): void {
    throw brokenProtocol('an empty query was answered that was not asked for')
  }

  portalSuspended(): void {
    throw brokenProtocol('a portal was suspended that was not asked for')
  }

  parameterDescription(_body: BodyReader): void {
    throw brokenProtocol('a statement was described that was not asked for')
  }

  rowDescription(_body: BodyReader): void {
    throw brokenProtocol('rows were described that were not asked for')
  }

  noData(): void {
    throw brokenProtocol('a statement was described that was not asked for')
  }

  dataRow(_bytes: Buffer, _start: number, _end: number): void {
    throw brokenProtocol('a row came that was not asked for')
  }

  /** The server waits for COPY data. What is written in this turn is flushed. */
  copyIn(_flow: DataFlow): void {
    throw brokenProtocol('a COPY began that was not asked for')
  }

  /** COPY data is about to come. */
  copyOut(_flow: DataFlow): void {
    throw brokenProtocol('a COPY began that was not asked for')
  }

  copyData(_bytes: Buffer, _start: number, _end: number): void {
    throw brokenProtocol('COPY data came that was not asked for')
  }
}
