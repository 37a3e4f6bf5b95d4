import type { Clock, Timer } from '../deadline.ts'
import { formatDuration } from '../duration.ts'
import { ConnectionLostError } from '../errors.ts'
import { type CancelTarget, sendCancel } from '../wire/cancel.ts'
import type { Pipeline } from '../wire/pipeline.ts'
import type { Command } from './commands/command.ts'

/** A cancel that has done nothing is sent again after so many milliseconds, then after twice as many, and so on. */
const firstPause = 50

/**
 * Has the server cancel the command that it works on ("Canceling Requests in Progress",
 * protocol-flow-canceling-requests). Nothing more is written before that command is over and every cancel sent for
 * it has ended, so that none can reach what comes later.
 */
export class Cancellation {
  readonly #pipeline: Pipeline
  readonly #target: CancelTarget
  readonly #limit: number
  readonly #clock: Clock
  /** Cancels sent whose effect was not seen. */
  #unseen = 0
  #timers: Timer[] = []
  /** Aborted when the connection is gone: there is nothing left to cancel, and nothing may be left of the cancels. */
  #ending: AbortController | undefined

  /** `limit`: how long a cancelled command may take to end before the connection is closed, in milliseconds; 0: no limit. */
  constructor(pipeline: Pipeline, target: CancelTarget, limit: number, clock: Clock) {
    this.#pipeline = pipeline
    this.#target = target
    this.#limit = limit
    this.#clock = clock
  }

  /** Cancels `command`, which is at the head, unless that is under way. */
  cancel(command: Command<unknown>): void {
    if (command.onFinished !== undefined) return
    let isFinished = false
    let isAsking = false
    const end = () => {
      if (this.#pipeline.head === undefined) this.#unseen = 0
      this.#pipeline.unhold()
    }
    // It does nothing where it comes before the server has read the command, or while that may not be interrupted.
    const ask = (pause: number) => {
      isAsking = true
      this.#unseen++
      sendCancel(this.#target, this.#limit, this.#clock, signal).then((hasEnded) => {
        isAsking = false
        if (!hasEnded) this.#break(strayCancel)
        else if (isFinished) end()
        else this.#timers.push(this.#clock.setTimer(pause, () => ask(2 * pause)))
      })
    }
    this.#ending ??= new AbortController()
    const { signal } = this.#ending
    this.#pipeline.hold()
    command.onFinished = () => {
      isFinished = true
      this.#stop()
      if (!isAsking) end()
    }
    if (this.#limit > 0) {
      const waited = `${formatDuration(this.#limit)} (cancelTimeout)`
      const overdue = () => this.#break(`a cancelled statement did not end within ${waited}`)
      this.#timers.push(this.#clock.setTimer(this.#limit, overdue))
    }
    ask(firstPause)
  }

  /** Whether a cancel was sent whose effect was not seen. Says yes once a cancel. */
  take(): boolean {
    if (this.#unseen === 0) return false
    this.#unseen--
    return true
  }

  /** The connection is gone: no timer and no socket is left. */
  end(): void {
    this.#stop()
    this.#ending?.abort()
  }

  /** Sends nothing more, and lets the limit be. */
  #stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
  }

  #break(why: string): void {
    this.#pipeline.destroy(new ConnectionLostError(why))
  }
}

/** Such a cancel could reach whatever is sent next; so nothing is. */
const strayCancel = 'a cancel request was not seen to end, so this connection cannot be used safely any more'
