import type { Statement } from './statement.ts'
import type { StatementStore } from './statement-cache.ts'

/**
 * A place for one statement that stays prepared until it is let go, whatever the cache keeps. Prepared again, it
 * has the same name. An empty name keeps nothing: it is prepared for each execution.
 */
export class PinnedStatement implements StatementStore {
  readonly name: string
  readonly #leave: () => void
  #statement: Statement | undefined
  #isLetGo = false

  /** Made by the cache; `leave` has it closed on the server. */
  constructor(name: string, leave: () => void) {
    this.name = name
    this.#leave = leave
  }

  get(): Statement | undefined {
    return this.#statement
  }

  keeps(): boolean {
    return this.name !== ''
  }

  nameFor(): string {
    return this.name
  }

  add(statement: Statement): void {
    if (!this.keeps()) return
    this.#statement = statement
    if (this.#isLetGo) this.drop()
  }

  forget(statement: Statement): void {
    if (this.#statement === statement) this.drop()
  }

  /** Closes it on the server with the next message; the next use prepares it again. */
  drop(): void {
    if (this.#statement === undefined) return
    this.#statement = undefined
    this.#leave()
  }

  /** Closes it, even if it is being prepared. */
  letGo(): void {
    this.#isLetGo = true
    this.drop()
  }
}
