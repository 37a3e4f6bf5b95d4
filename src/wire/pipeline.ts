import type { Socket } from 'node:net'
import { ConnectionLostError, type Outcome, PostgresError } from '../errors.ts'
import { Channel } from './channel.ts'
import { dispatchAnswer, dispatchUnasked, type Unasked } from './dispatch.ts'
import { brokenProtocol, describeType } from './frame-reader.ts'
import { writeSync } from './frontend.ts'
import { Backend, BodyReader, readReport, type TransactionStatus, transactionStatus } from './messages.ts'
import type { Continuation, Request } from './request.ts'
import { RequestQueue } from './request-queue.ts'

/** What the server says on its own, and the end. */
export interface PipelineOwner extends Unasked {
  /** Once. `undefined`: it was closed by `end()`. Every request is settled by then. */
  closed(reason: ConnectionLostError | undefined): void
}

/**
 * Requests in the order in which they were submitted: those written, whose answers come in that order, and
 * behind them those that wait because something must be answered first (a request that runs alone, a hold).
 */
export class Pipeline {
  readonly #channel: Channel
  readonly #owner: PipelineOwner
  readonly #inFlight = new RequestQueue()
  /** Those that were in flight, or about to be, when they had to wait: they go before the others. */
  readonly #preferred = new RequestQueue()
  readonly #waiting = new RequestQueue()
  /** Those whose `prepare` runs, which may use this very pipeline: the innermost is the first. */
  readonly #inPreparation = new RequestQueue()
  #holds = 0
  #alone: Request | undefined
  /** A prelude that is written, but for its Sync. */
  #unsynced: Request | undefined
  /** How many of those in flight may be cancelled. */
  #cancellable = 0
  /** What the server said before it hung up: an ErrorResponse of severity FATAL. */
  #farewell: PostgresError | undefined
  #closed: { reason: ConnectionLostError | undefined } | undefined
  #status: TransactionStatus
  #timesOutside = 0
  #idle: { promise: Promise<void>; resolve: () => void } | undefined

  constructor(socket: Socket, rest: Buffer, status: TransactionStatus, owner: PipelineOwner) {
    this.#owner = owner
    this.#status = status
    this.#channel = new Channel(socket, rest, {
      message: (type, bytes, start, end) => this.#message(type, bytes, start, end),
      flushing: () => this.#syncPrelude(),
      closed: (reason) => this.#settleClosed(reason),
    })
  }

  /** As of the last ReadyForQuery. */
  get transactionStatus(): TransactionStatus {
    return this.#status
  }

  /** How often the server was ready outside a transaction: while it stays the same, so does the transaction. */
  get timesOutside(): number {
    return this.#timesOutside
  }

  /**
   * The request that the server works on, or has in hand: what it says of a prelude may come only with what it says of
   * the follower.
   */
  get head(): Request | undefined {
    const { first } = this.#inFlight
    return first?.isPrelude && !first.hasSync ? first.next : first
  }

  get isIdle(): boolean {
    return this.#inFlight.first === undefined && !this.#isWaiting && this.#inPreparation.first === undefined
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  get whenClosed(): Promise<void> {
    return this.#channel.whenClosed
  }

  /** Resolves when nothing is in flight and nothing waits, or the connection is gone. */
  whenIdle(): Promise<void> {
    if (this.isIdle || this.isClosed) return Promise.resolve()
    if (this.#idle === undefined) {
      let resolve!: () => void
      const promise = new Promise<void>((done) => {
        resolve = done
      })
      this.#idle = { promise, resolve }
    }
    return this.#idle.promise
  }

  *requests(): Generator<Request> {
    yield* this.#inFlight
    yield* this.#inPreparation
    yield* this.#preferred
    yield* this.#waiting
  }

  submit(request: Request): void {
    if (this.#closed !== undefined) {
      request.lost((outcome) => this.#loss(outcome), 'not-sent')
    } else if (this.#isWaiting || !this.#mayStart(request)) {
      this.#waiting.push(request)
      if (this.#unsynced !== undefined) this.#channel.flushSoon()
    } else {
      this.#start(request)
    }
  }

  /** To be called while a request is alone: `request` comes before whatever waits. */
  submitNext(request: Request): void {
    this.#preferred.push(request)
  }

  /** Takes back a request that is not written yet. */
  withdraw(request: Request): boolean {
    const withdrawn = this.#waiting.remove(request) || this.#preferred.remove(request)
    if (withdrawn) this.#checkIdle()
    return withdrawn
  }

  /** Until `unhold`, nothing more is written. Holds add up. */
  hold(): void {
    this.#holds++
  }

  unhold(): void {
    this.#holds--
    this.#pump()
  }

  /** Whether the connection, while it is open, keeps the process alive. */
  keepProcess(keeps: boolean): void {
    this.#channel.keepProcess(keeps)
  }

  /** Terminate, and let the server close. For a pipeline that is idle. */
  end(): void {
    this.#channel.end()
  }

  destroy(reason: ConnectionLostError): void {
    this.#channel.destroy(reason)
  }

  get #isWaiting(): boolean {
    return this.#waiting.first !== undefined || this.#preferred.first !== undefined
  }

  #nextWaiting(): Request | undefined {
    return this.#preferred.shift() ?? this.#waiting.shift()
  }

  /** Inside a transaction, whatever is cancelled cannot be run again. */
  #mayStart(request: Request): boolean {
    if (this.#alone !== undefined || this.#holds > 0) return false
    if (this.#unsynced !== undefined && !request.isFollower) return false
    if (request.isSolitary && this.#inFlight.first !== undefined) return false
    return this.#cancellable === 0 || (this.#status === 'I' && !request.isFragile)
  }

  #start(request: Request): void {
    if (!request.prepared) {
      if (!this.#prepare(request)) {
        this.#checkIdle()
        return
      }
      if (!this.#mayStart(request)) {
        this.#preferred.push(request)
        return
      }
    }
    const { out } = this.#channel
    const mark = out.position
    try {
      request.write(out)
    } catch (error) {
      out.truncate(mark)
      this.#refuse(request, error)
      return
    }
    const leads = this.#inFlight.first === undefined
    this.#inFlight.push(request)
    if (request.cancellable) this.#cancellable++
    if (request.isPrelude) this.#begin(request)
    else {
      if (this.#unsynced !== undefined) this.#follow(request)
      else if (request.alone) this.#alone = request
      this.#channel.flushSoon()
    }
    if (leads) request.reachedHead()
    if (request.paused) request.stream(this.#channel)
  }

  /** Whether it is still to be written. What its code has written for others, stays. */
  #prepare(request: Request): boolean {
    this.#inPreparation.unshift(request)
    try {
      request.prepare()
      request.prepared = true
    } catch (error) {
      this.#refuse(request, error)
    }
    this.#inPreparation.shift()
    return request.prepared && !request.isMoot
  }

  #refuse(request: Request, error: unknown): void {
    request.alone = request.paused = false
    request.refused(error)
  }

  /** Its follower may come with any event of this turn. */
  #begin(prelude: Request): void {
    prelude.hasSync = true
    this.#unsynced = prelude
    this.#channel.flushLater()
  }

  /** `request`'s Sync ends the prelude, too. Nothing is written behind it before that has succeeded. */
  #follow(request: Request): void {
    this.#unsynced!.hasSync = false
    this.#unsynced = undefined
    this.#alone = request
  }

  /** Nobody has come who could end the prelude with his own Sync. */
  #syncPrelude(): void {
    if (this.#unsynced === undefined) return
    writeSync(this.#channel.out)
    this.#alone = this.#unsynced
    this.#unsynced = undefined
  }

  /** The prelude has succeeded: the server is at its follower. */
  #leavePrelude(prelude: Request): void {
    this.#inFlight.shift()
    prelude.ready(this.#status)
    const follower = this.#inFlight.first!
    follower.reachedHead()
    if (follower.alone) return
    this.#alone = undefined
    this.#pump()
  }

  #pump(): void {
    while (this.#closed === undefined) {
      const queue = this.#preferred.first === undefined ? this.#waiting : this.#preferred
      if (queue.first === undefined || !this.#mayStart(queue.first)) break
      this.#start(queue.shift()!)
    }
    this.#checkIdle()
  }

  #checkIdle(): void {
    if (this.#idle === undefined || !(this.isIdle || this.isClosed)) return
    const { resolve } = this.#idle
    this.#idle = undefined
    resolve()
  }

  #message(type: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case Backend.DataRow:
        this.#expectHead(type).dataRow(bytes, start, end)
        break
      case Backend.ReadyForQuery:
        this.#ready(bytes, start, end)
        break
      case Backend.ErrorResponse:
        this.#error(new PostgresError(readReport(new BodyReader(bytes, start, end)), { outcome: 'failed' }))
        break
      case Backend.NoticeResponse:
      case Backend.ParameterStatus:
      case Backend.NotificationResponse:
        dispatchUnasked(this.#owner, type, bytes, start, end)
        break
      default:
        this.#answer(type, bytes, start, end)
    }
  }

  #answer(type: number, bytes: Buffer, start: number, end: number): void {
    const head = this.#expectHead(type)
    dispatchAnswer(head, type, bytes, start, end, this.#channel)
    if (type === Backend.RowDescription || type === Backend.NoData) {
      this.#resume()
    } else if (type === Backend.CopyInResponse) {
      this.#channel.flushSoon()
    } else if (type === Backend.CommandComplete) {
      if (head.isPrelude && head.fate === 'succeeded' && !head.hasSync) this.#leavePrelude(head)
    }
  }

  #expectHead(type: number): Request {
    const head = this.#inFlight.first
    if (head === undefined)
      throw brokenProtocol(`message ${describeType(type)} came though nothing was asked`)
    return head
  }

  #error(error: PostgresError): void {
    if (error.severity === 'FATAL' || error.severity === 'PANIC') {
      this.#farewell = error
      this.#channel.destroy(this.#loss('unknown'))
      return
    }
    const head = this.#expectHead(Backend.ErrorResponse)
    head.error(error)
    if (this.#closed !== undefined) return
    if (head.isPrelude && !head.hasSync) this.#endSkipping()
    else this.#resume()
  }

  /** The server skips everything up to the follower's Sync, which one that pauses has not written yet. */
  #endSkipping(): void {
    const follower = this.#inFlight.first!.next!
    if (!follower.paused) return
    follower.paused = false
    writeSync(this.#channel.out)
    this.#channel.flushSoon()
  }

  /** What made the head pause is answered. */
  #resume(): void {
    const request = this.#inFlight.first!
    if (!request.paused) return
    request.paused = false
    request.resume(this.#channel.out)
    this.#channel.flushSoon()
    if (request.paused) request.stream(this.#channel)
    if (request.alone) return
    this.#alone = undefined
    this.#pump()
  }

  #ready(bytes: Buffer, start: number, end: number): void {
    const { paused } = this.#expectHead(Backend.ReadyForQuery)
    if (paused) throw brokenProtocol('the server was ready before it had described the statement')
    if (end - start !== 1) throw brokenProtocol(`ReadyForQuery has ${end - start} bytes`)
    this.#status = transactionStatus(bytes[start]!)
    if (this.#status === 'I') this.#timesOutside++
    const request = this.#inFlight.shift()!
    if (this.#alone === request) this.#alone = undefined
    if (request.cancellable) this.#cancellable--
    request.alone = false
    if (this.#tellReady(request) === 'again') {
      this.#repeat(request)
      if (!request.hasSync) this.#skipFollower()
    }
    this.#inFlight.first?.reachedHead()
    this.#pump()
  }

  #repeat(request: Request): void {
    request.prepared = false
    this.#preferred.push(request)
  }

  /** The Sync that the server has answered was the follower's, which it skipped. */
  #skipFollower(): void {
    const follower = this.#inFlight.shift()!
    if (follower.cancellable) this.#cancellable--
    follower.alone = follower.paused = false
    this.#alone = undefined
    follower.skipped()
    if (!follower.isMoot) this.#repeat(follower)
  }

  /** A request that finds its answer broken is not over: it settles with the connection, which breaks by it. */
  #tellReady(request: Request): Continuation {
    try {
      return request.ready(this.#status)
    } catch (error) {
      this.#inFlight.unshift(request)
      throw error
    }
  }

  #settleClosed(reason: ConnectionLostError | undefined): void {
    this.#closed = { reason }
    const outcome = this.#keepsFollower ? 'not-sent' : 'unknown'
    for (let request = this.#inFlight.shift(); request !== undefined; request = this.#inFlight.shift()) {
      request.lost((outcome) => this.#loss(outcome), outcome)
    }
    for (let request = this.#nextWaiting(); request !== undefined; request = this.#nextWaiting()) {
      request.lost((outcome) => this.#loss(outcome), 'not-sent')
    }
    this.#checkIdle()
    this.#owner.closed(reason)
  }

  /** Whether a prelude is in hand whose follower does not run: after an error, or as no more than its preparation was sent. */
  get #keepsFollower(): boolean {
    const head = this.#inFlight.first
    if (!head?.isPrelude) return false
    return head.fate === 'failed' || this.#farewell !== undefined || head.next?.paused === true
  }

  #loss(outcome: Outcome): ConnectionLostError {
    if (this.#farewell !== undefined) {
      return new ConnectionLostError(`the server ended the connection: ${this.#farewell.message}`, {
        cause: this.#farewell,
        outcome,
      })
    }
    const reason = this.#closed?.reason
    return new ConnectionLostError(reason?.message ?? 'the connection is closed', {
      outcome,
      ...(reason?.cause === undefined ? {} : { cause: reason.cause }),
    })
  }
}
