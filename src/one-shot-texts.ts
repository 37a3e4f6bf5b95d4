import { noPart, partsTouchedBy } from './connection/reset/session-parts.ts'
import { firstWord } from './connection/sql/first-word.ts'
import { sqlTokens } from './connection/sql/sql-tokens.ts'

/** What a statement by itself on a pool cannot do, by its first word, and what to use for it. */
const instead = new Map(
  Object.entries({
    'pool.transaction()': ['begin', 'start', 'commit', 'end', 'rollback', 'abort', 'savepoint', 'release'],
    'pool.listen(), or addListener() of a connection': ['listen', 'unlisten'],
    'serverSettings, or pool.use() with all that needs the setting': ['set', 'reset'],
    'pool.use() with all that needs it': ['prepare', 'deallocate', 'declare', 'discard'],
    'pool.use() and its copy methods': ['copy'],
  }).flatMap(([use, words]) => words.map((word) => [word, use] as const)),
)

/** What a statement is not to share a connection with, though it leaves no trace in the session: it waits, or may wait for others' locks. */
const waiting = new Set([
  ...['insert', 'update', 'delete', 'merge', 'for'],
  ...['pg_sleep', 'pg_advisory_xact_lock', 'pg_advisory_xact_lock_shared', 'pg_notify'],
])
const readers = new Set(['select', 'values', 'table', 'with'])

/** The share of the newest run in the average. */
const weight = 1 / 8

/** What the pool knows of one statement that is run by itself. */
export class OneShotText {
  /** Its first word and what to use in its place, where it makes no sense by itself. */
  readonly refusal: { word: string; use: string } | undefined
  /** Whether, by its text, it only reads, waits for nobody and leaves nothing behind in the session. */
  readonly mayShare: boolean
  /** How long the server takes for it, in milliseconds: a moving average; NaN before its first end. */
  time = Number.NaN

  constructor(sql: string, isShort: boolean) {
    const word = firstWord(sql)
    const use = instead.get(word)
    this.refusal = use === undefined ? undefined : { word, use }
    this.mayShare = isShort && readers.has(word) && onlyReads(sql)
  }

  took(time: number): void {
    this.time = Number.isNaN(this.time) ? time : this.time + (time - this.time) * weight
  }
}

/** The texts that are remembered; when there are more, it starts anew. */
const remembered = 2_000
/** A longer text is not remembered, nor does it share. */
const longestRemembered = 4_000

/** What is known of the statements that a pool ran by themselves, by their texts. */
export class OneShotTexts {
  readonly #known = new Map<string, OneShotText>()
  readonly #longestShared: number

  /** `longestShared`: no longer text shares a connection. */
  constructor(longestShared: number) {
    this.#longestShared = Math.min(longestShared, longestRemembered)
  }

  of(sql: string): OneShotText {
    let text = this.#known.get(sql)
    if (text === undefined) {
      text = new OneShotText(sql, sql.length <= this.#longestShared)
      if (sql.length <= longestRemembered) {
        if (this.#known.size >= remembered) this.#known.clear()
        this.#known.set(sql, text)
      }
    }
    return text
  }
}

function onlyReads(sql: string): boolean {
  const tokens = sqlTokens(sql)
  if (tokens === undefined || partsTouchedBy(sql) !== noPart) return false
  return !tokens.some((token) => waiting.has(token) || token === ';')
}
