import { InterfaceError } from './errors.ts'

export interface Timer {
  cancel(): void
}

/** Time, handed in, so that a simulation can own it. */
export interface Clock {
  /** Milliseconds on a monotonic scale: a change of the wall clock does not show. */
  now(): number
  /** Calls `fire` once, not before `ms` milliseconds have passed. */
  setTimer(ms: number, fire: () => void): Timer
}

const longestTimeout = 2 ** 31 - 1

/**
 * One firing of the system's timer. Its callback runs only after the sockets were read once more, so that
 * after a stall of the event loop an answer that is already there wins against its time-out. The system's timers
 * drop fractions of a millisecond and may fire early by the clock that deadlines are read from: this one does not.
 */
class SystemTimer implements Timer {
  #timeout: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  readonly #due: number
  readonly #fire: () => void
  readonly #keepsProcess: boolean

  constructor(ms: number, fire: () => void, keepsProcess: boolean) {
    this.#due = performance.now() + ms
    this.#fire = fire
    this.#keepsProcess = keepsProcess
    this.#arm(ms)
  }

  #arm(ms: number): void {
    this.#timeout = setTimeout(() => this.#elapsed(), Math.min(Math.ceil(ms), longestTimeout))
    if (!this.#keepsProcess) this.#timeout.unref()
  }

  #elapsed(): void {
    const left = this.#due - performance.now()
    if (left > 0) this.#arm(left)
    else this.#immediate = setImmediate(this.#fire)
  }

  cancel(): void {
    clearTimeout(this.#timeout)
    clearImmediate(this.#immediate)
  }
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (ms, fire) => new SystemTimer(ms, fire, true),
}

/** The same clock, whose timers alone do not keep the process alive. */
export const backgroundClock: Clock = {
  now: () => performance.now(),
  setTimer: (ms, fire) => new SystemTimer(ms, fire, false),
}

/**
 * `work`, or the error that `expired` makes where `work` takes longer than `ms` (0: no limit). The work itself
 * is not stopped; a later result or failure of it is dropped.
 */
export function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  expired: () => Error,
): Promise<T> {
  if (ms === 0) return work
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(ms, () => reject(expired()))
    work.then(
      (value) => {
        timer.cancel()
        resolve(value)
      },
      (error: unknown) => {
        timer.cancel()
        reject(error)
      },
    )
  })
}

const nothing = () => {}

/**
 * Calls `listener` with the reason once `signal` aborts; the returned function takes the listener off again.
 *
 * @throws InterfaceError where `signal` is something else.
 */
export function onAbort(
  signal: AbortSignal | null | undefined,
  listener: (reason: unknown) => void,
): () => void {
  if (signal === undefined || signal === null) return nothing
  if (!(signal instanceof AbortSignal)) {
    throw new InterfaceError('signal: must be an AbortSignal, as of an AbortController', {
      outcome: 'not-sent',
    })
  }
  const heard = () => listener(signal.reason)
  signal.addEventListener('abort', heard, { once: true })
  return () => signal.removeEventListener('abort', heard)
}
