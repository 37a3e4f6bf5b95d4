import { InterfaceError, type Outcome, PostgresError, type RockpoolError } from '../errors.ts'
import { brokenProtocol } from '../wire/frame-reader.ts'
import { writeCopyFail, writeSync } from '../wire/frontend.ts'
import type { TransactionStatus } from '../wire/messages.ts'
import type { OutBuffer } from '../wire/out-buffer.ts'
import { type Continuation, type Loss, Request } from '../wire/request.ts'

/** The error for a caller who does not want the answer any more, given what became of the statement. */
export type GiveUpReason = (outcome: Outcome) => unknown

/** What a command needs of the session that runs it. */
export interface CommandHost {
  /** Asks the server to cancel `command`, the one that it works on. */
  cancelHead(command: Command<unknown>): void
  /** Whether a cancel was sent whose effect has not been seen yet. Says yes once a cancel. */
  takeCancel(): boolean
  /** A failure left the session in a failed transaction. */
  transactionFailed(by: RockpoolError): void
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
  /** Called when the promise has settled. */
  onSettled: (() => void) | undefined
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
  /** Every answer is in and none is an error: the caller's value, or that there is more to write. */
  protected abstract complete(): { value: T } | 'again'
  /**
   * Whether a command that failed, and left nothing behind, is to be run again unseen. Asked only outside
   * transactions and while the caller waits.
   */
  protected mayRepeat(_failure: RockpoolError): boolean {
    return false
  }
  /** Whether the copy in progress needs a Sync of its own: the one already sent is swallowed by it. */
  protected abstract readonly copyNeedsSync: boolean

  get isPending(): boolean {
    return this.#state !== 'settled'
  }

  get isWritten(): boolean {
    return this.#state === 'written'
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

  override refused(error: unknown): void {
    this.#fail(this.#gaveUp?.('not-sent') ?? error)
    this.onFinished?.()
  }

  override reachedHead(): void {
    if (this.#gaveUp !== undefined) this.host.cancelHead(this as Command<unknown>)
  }

  override error(error: PostgresError): void {
    this.failure ??= error
  }

  override ready(status: TransactionStatus): Continuation {
    const { failure } = this
    const wanted = this.#gaveUp === undefined
    if (failure !== undefined) {
      if (status === 'E') this.host.transactionFailed(failure)
      if (wanted && status === 'I' && this.mayRepeat(failure)) {
        this.failure = undefined
        return 'again'
      }
      if (!wanted) takesCancel(failure, this.host)
      this.#fail(this.#gaveUp?.(failure.outcome ?? 'failed') ?? failure)
    } else {
      const completion = this.complete()
      if (completion === 'again') {
        if (wanted) return 'again'
        this.#fail(this.#gaveUp?.('not-sent'))
      } else if (wanted) {
        this.#succeed(completion.value)
      } else {
        this.#fail(this.#gaveUp?.('executed'))
      }
    }
    this.onFinished?.()
    return 'done'
  }

  override lost(loss: Loss, outcome: Outcome): void {
    if (this.#state !== 'settled') this.#fail(this.#gaveUp?.(outcome) ?? loss(outcome))
    this.onFinished?.()
  }

  override copyIn(out: OutBuffer): void {
    this.failure ??= copyRefused('COPY … FROM STDIN', 'failed')
    writeCopyFail(out, 'this method has no data to send')
    if (this.copyNeedsSync) writeSync(out)
  }

  override copyOut(): void {
    this.failure ??= copyRefused('COPY … TO STDOUT', 'executed')
  }

  override copyData(): void {
    if (this.failure === undefined) throw brokenProtocol('COPY data came that was not asked for')
  }

  #succeed(value: T): void {
    if (this.#state === 'settled') return
    this.#state = 'settled'
    this.#resolve(value)
    this.onSettled?.()
  }

  #fail(reason: unknown): void {
    if (this.#state === 'settled') return
    this.#state = 'settled'
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
