import { ConnectionLostError } from '../../errors.ts'
import { checkCount } from '../arguments.ts'

interface Waiter {
  readonly count: number
  resolve(): void
  reject(error: Error): void
}

/** A number of bytes that grows, and those who wait for it. */
export class Counter {
  #value = 0
  #isFinal = false
  #waiters: Waiter[] = []

  get value(): number {
    return this.#value
  }

  add(count: number): void {
    this.#value += count
    const waiters = this.#waiters
    this.#waiters = waiters.filter((waiter) => waiter.count > this.#value)
    for (const waiter of waiters) if (waiter.count <= this.#value) waiter.resolve()
  }

  /** Resolves once the number is at least `count`. Nobody has to hear of its failure. */
  reaches(count: number): Promise<void> {
    const reached = this.#reach(count)
    reached.catch(() => {})
    return reached
  }

  /** It will not grow any more. */
  end(): void {
    this.#isFinal = true
    for (const { count, reject } of this.#waiters.splice(0)) reject(this.#tooFew(count))
  }

  async #reach(count: number): Promise<void> {
    checkCount('bytes', count)
    if (this.#value >= count) return
    if (this.#isFinal) throw this.#tooFew(count)
    await new Promise<void>((resolve, reject) => this.#waiters.push({ count, resolve, reject }))
  }

  #tooFew(count: number): Error {
    return new ConnectionLostError(`the connection was closed after ${this.#value} of ${count} bytes`)
  }
}
