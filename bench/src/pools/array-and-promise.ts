import { Nowhere, type Pooling } from './pooling.ts'

/** The least that a pool can be: idle connections on an array, those who wait in another. No time-outs, no checks. */
export class ArrayAndPromise implements Pooling<Nowhere> {
  readonly #idle: Nowhere[]
  #waiting: ((connection: Nowhere) => void)[] = []
  /** The first of `#waiting` that was not served: to take it off the front would move the others. */
  #first = 0

  constructor(connections: number) {
    this.#idle = Array.from({ length: connections }, () => new Nowhere())
  }

  acquire(): Promise<Nowhere> {
    const connection = this.#idle.pop()
    if (connection !== undefined) return Promise.resolve(connection)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  release(connection: Nowhere): void {
    if (this.#first === this.#waiting.length) {
      this.#idle.push(connection)
      return
    }
    this.#waiting[this.#first++]!(connection)
    if (this.#first > 1_024 && this.#first > this.#waiting.length / 2) {
      this.#waiting = this.#waiting.slice(this.#first)
      this.#first = 0
    }
  }

  connectionOf(connection: Nowhere): Nowhere {
    return connection
  }
}
