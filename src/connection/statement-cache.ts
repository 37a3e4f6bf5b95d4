import { writeCloseStatement } from '../wire/frontend.ts'
import type { OutBuffer } from '../wire/out-buffer.ts'
import type { Statement } from './statement.ts'

export interface StatementCacheSettings {
  /** How many statements a connection keeps; 0 keeps none. */
  size: number
  /** After how many milliseconds a statement is prepared anew; 0: never. */
  lifetime: number
  /** The longest text that is kept, in characters; 0: any. */
  largest: number
}

interface Entry {
  statement: Statement
  expires: number
}

/**
 * The statements that this connection has prepared, by their text, the least recently used first. One that
 * leaves is closed on the server with the next message that is written anyway.
 */
export class StatementCache {
  readonly #settings: StatementCacheSettings
  readonly #now: () => number
  readonly #entries = new Map<string, Entry>()
  readonly #leaving: string[] = []
  #named = 0

  constructor(settings: StatementCacheSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  get(sql: string): Statement | undefined {
    const entry = this.#entries.get(sql)
    if (entry === undefined) return undefined
    if (this.#settings.lifetime > 0 && entry.expires <= this.#now()) {
      this.forget(entry.statement)
      return undefined
    }
    this.#entries.delete(sql)
    this.#entries.set(sql, entry)
    return entry.statement
  }

  /** The name under which `sql` is to be prepared; the empty one (the unnamed statement) where it is not kept. */
  nameFor(sql: string): string {
    const { size, largest } = this.#settings
    if (size === 0 || (largest > 0 && sql.length > largest)) return ''
    return `rockpool_${++this.#named}`
  }

  add(statement: Statement): void {
    if (statement.name === '') return
    this.#entries.set(statement.sql, { statement, expires: this.#now() + this.#settings.lifetime })
    if (this.#entries.size > this.#settings.size) {
      const [oldest] = this.#entries.values()
      this.forget(oldest!.statement)
    }
  }

  forget(statement: Statement): void {
    if (this.#entries.get(statement.sql)?.statement !== statement) return
    this.#entries.delete(statement.sql)
    this.#leaving.push(statement.name)
  }

  /** Closes on the server what has left. Closing a statement that is not there is not an error (protocol-flow). */
  writeLeaving(out: OutBuffer): void {
    for (const name of this.#leaving) writeCloseStatement(out, name)
  }

  /** What `writeLeaving` wrote is going to be sent. */
  haveLeft(): void {
    this.#leaving.length = 0
  }
}
