import { InterfaceError, type Outcome, PostgresError, type RockpoolError } from '../../errors.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'
import { writeCopyFail, writeSync } from '../../wire/frontend.ts'
import type { TransactionStatus } from '../../wire/messages.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import { type Continuation, type DataFlow, type Loss, Request } from '../../wire/request.ts'

/** The error for a caller who does not want the answer any more, given what became of the statement. */
export type GiveUpReason = (outcome: Outcome) => unknown

/** What a command needs of the session that runs it. */
export interface CommandHost {
  /** Asks the server to cancel `command`, the one that it works on. */
  cancelHead(command: Command<unknown>): void
  /** Whether a cancel was sent whose effect has not been seen yet. Says yes once a cancel. */
  takeCancel(): boolean
  /** A statement ended, with this tag. */
  commandEnded(tag: string): void
  /** A failure left the session in a failed transaction. */
  transactionFailed(by: RockpoolError): void
  /** A statement failed, however that left the transaction. */
  statementFailed(by: RockpoolError): void
}

/** Who hears how a command ended, in that very turn and before its caller goes on. */
export interface CommandWatcher {
  succeeded(): void
  failed(reason: unknown): void
}

/**
 * A request with a caller: a promise that settles exactly once, and a way to give up. A caller who gives up on
 * the command at the head learns how it ended; one behind the head is told at once, and its command is cancelled
 * when its turn comes.
 */
export abstract class Command<T> extends Request {
  readonly promise: Promise<T>
  /** When the command's time is over, on the session's clock. */
  deadline = Number.POSITIVE_INFINITY
  /** The limit that made `deadline`, in milliseconds. */
  timeout = 0
  /** What runs before this command on its behalf, and is given up with it. */
  errand: Command<unknown> | undefined
  /** Called when the promise has settled. */
  onSettled: (() => void) | undefined
  watcher: CommandWatcher | undefined
  /** Called when the server is done with the command, or the connection is gone. */
  onFinished: (() => void) | undefined
  protected readonly host: CommandHost
  /** The first thing that went wrong; the answers behind it are skipped. */
  protected failure: RockpoolError | undefined
  #resolve!: (value: T) => void
  #reject!: (reason: unknown) => void
  #state: 'waiting' | 'written' | 'settled' = 'waiting'
  #gaveUp: GiveUpReason | undefined

  constructor(host: CommandHost) {
    super()
    this.host = host
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Writes the command's next messages. */
  protected abstract compose(out: OutBuffer): void
  /** Every answer is in and none is an error: the caller's value. */
  protected abstract complete(): { value: T }
  /** The server reported `failure`, wherever that leaves the transaction. */
  protected learn(_failure: RockpoolError): void {}
  /**
   * Whether a command that failed, and left nothing behind, is to be run again unseen. Asked only outside
   * transactions and while the caller waits.
   */
  protected mayRepeat(_failure: RockpoolError): boolean {
    return false
  }
  /** Whether the copy in progress needs a Sync of its own: the one already sent is swallowed by it. */
  protected abstract readonly copyNeedsSync: boolean

  /** The SQL that it runs, for those who read it; `undefined`: it has no one text. */
  get text(): string | undefined {
    return undefined
  }

  get isPending(): boolean {
    return this.#state !== 'settled'
  }

  override get isMoot(): boolean {
    return this.#state === 'settled'
  }

  get isWritten(): boolean {
    return this.#state === 'written'
  }

  /** Whether what was written runs the statement, and does not only prepare it. */
  protected get isExecuting(): boolean {
    return true
  }

  /** Whether, nothing having failed, there is more to write all the same. */
  protected get isUnfinished(): boolean {
    return false
  }

  /** Whether the caller still waits for the answer. */
  protected get isWanted(): boolean {
    return this.#gaveUp === undefined
  }

  /** The caller leaves. A command that is not written is withdrawn from the pipeline first. */
  giveUp(reason: GiveUpReason, isHead: boolean): void {
    if (this.#state === 'settled' || this.#gaveUp !== undefined) return
    this.#gaveUp = reason
    if (this.#state === 'waiting') this.#fail(reason('not-sent'))
    else if (isHead) this.host.cancelHead(this as Command<unknown>)
    else this.#fail(reason('unknown'))
  }

  override write(out: OutBuffer): void {
    this.compose(out)
    if (this.#state === 'waiting') this.#state = 'written'
  }

  override skipped(): void {
    if (this.#state !== 'written') return
    this.#state = 'waiting'
    if (this.#gaveUp === undefined) return
    this.#fail(this.#gaveUp('not-sent'))
    this.onFinished?.()
  }

  override refused(error: unknown): void {
    this.#fail(this.#reason('not-sent', error))
    this.onFinished?.()
  }

  override reachedHead(): void {
    if (this.#gaveUp !== undefined) this.host.cancelHead(this as Command<unknown>)
  }

  /** What only could not be used was executed, as far as we knew; now we know better. */
  override error(error: PostgresError): void {
    if (this.failure?.outcome === 'executed') this.failure = Object.assign(error, { cause: this.failure })
    else this.failure ??= error
  }

  override ready(status: TransactionStatus): Continuation {
    const { failure } = this
    const wanted = this.isWanted
    if (failure !== undefined) {
      if (status === 'E') this.host.transactionFailed(failure)
      this.host.statementFailed(failure)
      this.learn(failure)
      if (wanted && status === 'I' && this.mayRepeat(failure)) {
        this.failure = undefined
        this.#state = 'waiting'
        return 'again'
      }
      if (!wanted) takesCancel(failure, this.host)
      this.#fail(this.#reason(failure.outcome ?? 'failed', failure))
    } else if (wanted && this.isUnfinished) {
      this.#state = 'waiting'
      return 'again'
    } else if (wanted) {
      this.#succeed(this.complete().value)
    } else {
      this.#fail(this.#gaveUp?.(this.isExecuting ? 'executed' : 'not-sent'))
    }
    this.onFinished?.()
    return 'done'
  }

  override lost(loss: Loss, outcome: Outcome): void {
    if (this.#state !== 'settled') this.#fail(this.#reason(outcome, loss(outcome)))
    this.onFinished?.()
  }

  override copyIn(flow: DataFlow): void {
    this.failure ??= copyRefused('COPY … FROM STDIN', 'failed')
    writeCopyFail(flow.out, 'this method has no data to send')
    if (this.copyNeedsSync) writeSync(flow.out)
  }

  override copyOut(_flow: DataFlow): void {
    this.failure ??= copyRefused('COPY … TO STDOUT', 'executed')
  }

  override copyData(_bytes: Buffer, _start: number, _end: number): void {
    if (this.failure === undefined) throw brokenProtocol('COPY data came that was not asked for')
  }

  /** What the caller is told: its own reason where it gave up, whatever that is, else `failure`. */
  #reason(outcome: Outcome, failure: unknown): unknown {
    return this.#gaveUp === undefined ? failure : this.#gaveUp(outcome)
  }

  #succeed(value: T): void {
    if (this.#state === 'settled') return
    this.#state = 'settled'
    this.watcher?.succeeded()
    this.#resolve(value)
    this.onSettled?.()
  }

  #fail(reason: unknown): void {
    if (this.#state === 'settled') return
    this.#state = 'settled'
    this.watcher?.failed(reason)
    this.#reject(reason)
    this.onSettled?.()
  }
}

/** Whether `failure` is the effect of a cancel that this connection sent (57014 query_canceled); each has one. */
export function takesCancel(failure: RockpoolError, host: CommandHost): boolean {
  return failure instanceof PostgresError && failure.sqlState === '57014' && host.takeCancel()
}

function copyRefused(what: string, outcome: Outcome): InterfaceError {
  return new InterfaceError(`${what} has nowhere to take its data from, or to put it, in this method`, {
    outcome,
  })
}
