import { writeCloseStatement } from '../../wire/frontend.ts'
import type { OutBuffer } from '../../wire/out-buffer.ts'
import { PinnedStatement } from './pinned-statement.ts'
import type { Statement } from './statement.ts'

export interface StatementCacheSettings {
  /** How many statements a connection keeps; 0 keeps none. */
  size: number
  /** After how many milliseconds a statement is prepared anew; 0: never. */
  lifetime: number
  /** The longest text that is kept, in characters; 0: any. */
  largest: number
}

/** Where a command finds its statement, and puts it once it is prepared. */
export interface StatementStore {
  get(sql: string): Statement | undefined
  /** Whether `sql`, once it is prepared, is there for the next run. */
  keeps(sql: string): boolean
  /** The name under which `sql` is to be prepared; the empty one (the unnamed statement) where it is not kept. */
  nameFor(sql: string): string
  add(statement: Statement): void
  /** It is prepared again at its next use. */
  forget(statement: Statement): void
}

interface Entry {
  statement: Statement
  expires: number
  /** By the count of all uses. */
  usedAt: number
}

const noNames: readonly string[] = []

/**
 * The statements that this connection has prepared, by their text; the least recently used makes room. One that
 * leaves is closed on the server with the next message that is written anyway.
 */
export class StatementCache implements StatementStore {
  readonly #settings: StatementCacheSettings
  readonly #now: () => number
  readonly #entries = new Map<string, Entry>()
  #pinned: Set<PinnedStatement> | undefined
  readonly #leaving: string[] = []
  #named = 0
  #uses = 0

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
    entry.usedAt = ++this.#uses
    return entry.statement
  }

  keeps(sql: string): boolean {
    const { size, largest } = this.#settings
    return size > 0 && (largest === 0 || sql.length <= largest)
  }

  nameFor(sql: string): string {
    return this.keeps(sql) ? this.#newName() : ''
  }

  add(statement: Statement): void {
    if (statement.name === '') return
    const expires = this.#now() + this.#settings.lifetime
    this.#entries.set(statement.sql, { statement, expires, usedAt: ++this.#uses })
    if (this.#entries.size > this.#settings.size) this.forget(this.#leastRecentlyUsed())
  }

  /** Closes a statement that is not among those that are kept. */
  leave(name: string): void {
    if (name !== '') this.#leaving.push(name)
  }

  forget(statement: Statement): void {
    if (this.#entries.get(statement.sql)?.statement !== statement) return
    this.#entries.delete(statement.sql)
    this.leave(statement.name)
  }

  /** Everything is prepared again at its next use, what is pinned too. */
  clear(): void {
    for (const { statement } of [...this.#entries.values()]) this.forget(statement)
    for (const pinned of this.#pinned ?? []) pinned.drop()
  }

  pin(): PinnedStatement {
    const name = this.#settings.size === 0 ? '' : this.#newName()
    const pinned = new PinnedStatement(name, () => this.leave(name))
    this.#pinned ??= new Set()
    this.#pinned.add(pinned)
    return pinned
  }

  unpin(pinned: PinnedStatement): void {
    if (this.#pinned?.delete(pinned)) pinned.letGo()
  }

  /** Closes on the server what has left. Closing a statement that is not there is not an error (protocol-flow). */
  writeLeaving(out: OutBuffer): void {
    for (const name of this.#leaving) writeCloseStatement(out, name)
  }

  /** What `writeLeaving` wrote is going to be sent. Returns the names, for them to leave again should it be skipped. */
  haveLeft(): readonly string[] {
    return this.#leaving.length === 0 ? noNames : this.#leaving.splice(0)
  }

  /** Looked for where a statement was prepared, which costs far more; a use has only to note itself. */
  #leastRecentlyUsed(): Statement {
    let least: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (least === undefined || entry.usedAt < least.usedAt) least = entry
    }
    return least!.statement
  }

  #newName(): string {
    return `rockpool_${++this.#named}`
  }
}
