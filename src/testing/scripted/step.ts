import { onAbort } from '../../deadline.ts'
import { InterfaceError } from '../../errors.ts'
import { checkCount, checkFunction } from '../arguments.ts'

type Mode = { kind: 'pass' } | { kind: 'hold' } | { kind: 'fail'; error: unknown }

interface Held {
  resolve(): void
  reject(error: unknown): void
}

interface Watcher {
  readonly calls: number
  resolve(): void
}

/**
 * Something that happens again and again, such as a connect, of which a test decides how each time ends: it succeeds at
 * once, which is how a step begins, or fails, or is held until the test settles it.
 */
export class Step {
  #calls = 0
  #mode: Mode = { kind: 'pass' }
  readonly #held: Held[] = []
  #watchers: Watcher[] = []

  /** How often it was asked for. */
  get calls(): number {
    return this.#calls
  }

  /** How many calls are held at the moment. */
  get held(): number {
    return this.#held.length
  }

  /** Holds the calls from now on. */
  hold(): void {
    this.#mode = { kind: 'hold' }
  }

  /** Fails the calls from now on; those that are held stay so. */
  fail(error: unknown): void {
    this.#mode = { kind: 'fail', error }
  }

  /** Lets the calls from now on succeed; those that are held stay so. */
  pass(): void {
    this.#mode = { kind: 'pass' }
  }

  /**
   * Lets the call succeed that is held longest, or the one at `index` in the order of their beginning.
   *
   * @throws InterfaceError where none is held there.
   */
  succeed(index = 0): void {
    this.#take(index).resolve()
  }

  /** The same, with a failure. */
  reject(error: unknown, index = 0): void {
    this.#take(index).reject(error)
  }

  /**
   * Resolves once there were so many calls in all, also where there were already.
   *
   * @throws InterfaceError where `calls` is no whole number of 0 or more.
   */
  async called(calls: number): Promise<void> {
    checkCount('calls', calls)
    if (this.#calls >= calls) return
    await new Promise<void>((resolve) => this.#watchers.push({ calls, resolve }))
  }

  /**
   * `work`, which begins once the step has succeeded; where the step fails, it does not. For a hook of a pool:
   * `{ connect: step.before(connect) }`. Where an argument has a `signal`, as the options of `connect` have, its abort
   * fails a call that is held, with its reason.
   *
   * @throws InterfaceError where `work` is no function.
   */
  before<A extends unknown[], R>(work: (...args: A) => Promise<R> | R): (...args: A) => Promise<R> {
    checkFunction('work', work)
    return async (...args) => {
      await this.run(signalAmong(args))
      return work(...args)
    }
  }

  /** One call. The abort of `signal` fails it while it is held, with its reason. */
  run(signal?: AbortSignal): Promise<void> {
    this.#count()
    if (this.#mode.kind === 'pass') return Promise.resolve()
    if (this.#mode.kind === 'fail') return Promise.reject(this.#mode.error)
    if (signal?.aborted) return Promise.reject(signal.reason)
    return this.#hold(signal)
  }

  #hold(signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const held: Held = {
        resolve: () => {
          stopWatching()
          resolve()
        },
        reject: (error) => {
          stopWatching()
          reject(error)
        },
      }
      const stopWatching = onAbort(signal, (reason) => {
        this.#held.splice(this.#held.indexOf(held), 1)
        held.reject(reason)
      })
      this.#held.push(held)
    })
  }

  #count(): void {
    this.#calls++
    const watchers = this.#watchers
    this.#watchers = watchers.filter(({ calls }) => calls > this.#calls)
    for (const { calls, resolve } of watchers) if (calls <= this.#calls) resolve()
  }

  #take(index: number): Held {
    const [held] = this.#held.splice(index, 1)
    if (held === undefined)
      throw new InterfaceError(`index: no call is held at ${index}, of ${this.#held.length}`)
    return held
  }
}

function signalAmong(args: readonly unknown[]): AbortSignal | undefined {
  for (const arg of args) {
    const signal = (arg as { signal?: unknown } | null | undefined)?.signal
    if (signal instanceof AbortSignal) return signal
  }
  return undefined
}
