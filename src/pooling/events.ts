import type { CloseReason } from './stats.ts'

/** What the pool tells, by event. Times are in milliseconds. */
export interface PoolEvents<C> {
  /** A connection was opened. */
  open: { connection: C }
  /** A connection is being closed. `error`: what led to it, where something failed. */
  close: { connection: C; reason: CloseReason; error: unknown }
  /** A connection was handed out, after its caller waited for `waited`. `number` is the lease's. */
  acquire: { connection: C; number: number; holder: string | undefined; waited: number }
  /** A lease ended after `held`. */
  release: { connection: C; number: number; holder: string | undefined; held: number }
  /**
   * A connection was held for longer than `leakThreshold`, told once; and once more, `returned`, when it came back
   * after `held`. `stack`: where it was acquired, a line a call, or what else its holder was called.
   */
  leak: { connection: C; number: number; stack: string | undefined; held: number; returned: boolean }
  /** A connect failed; none is tried for the next `retryIn`. `permanent`: trying again alone will not help. */
  connectFailed: { error: unknown; permanent: boolean; retryIn: number }
  /** Something that a person should know. */
  warning: { message: string; error: unknown }
}

type Listener<P> = (payload: P) => unknown
type Listeners<C> = { [E in keyof PoolEvents<C>]: readonly Listener<PoolEvents<C>[E]>[] }

/** Tells listeners, in the order in which they came. What one throws, or rejects with, becomes a warning to the others. */
export class Events<C> {
  readonly #listeners: Listeners<C> = {
    open: [],
    close: [],
    acquire: [],
    release: [],
    leak: [],
    connectFailed: [],
    warning: [],
  }

  /** By event. Where nobody listens, the payload need not be made. */
  get listeners(): Readonly<Listeners<C>> {
    return this.#listeners
  }

  on<E extends keyof PoolEvents<C>>(event: E, listener: Listener<PoolEvents<C>[E]>): () => void {
    // Its own identity, so that one function may listen twice and each is taken off alone.
    const entry: Listener<PoolEvents<C>[E]> = (payload) => listener(payload)
    const listeners: { [K in E]: readonly Listener<PoolEvents<C>[K]>[] } = this.#listeners
    listeners[event] = [...listeners[event], entry]
    return () => {
      listeners[event] = listeners[event].filter((other) => other !== entry)
    }
  }

  emit<E extends keyof PoolEvents<C>>(event: E, payload: PoolEvents<C>[E]): void {
    for (const listener of this.#listeners[event]) {
      try {
        const result = listener(payload)
        if (result instanceof Promise) result.catch((error: unknown) => this.#listenerFailed(event, error))
      } catch (error) {
        this.#listenerFailed(event, error)
      }
    }
  }

  warn(message: string, error?: unknown): void {
    this.emit('warning', { message, error })
  }

  /** A listener to warnings that fails is not told about itself. */
  #listenerFailed(event: keyof PoolEvents<C>, error: unknown): void {
    if (event !== 'warning') this.warn(`a listener to '${event}' failed`, error)
  }
}
