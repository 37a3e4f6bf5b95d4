import { firstWord } from './connection/sql/first-word.ts'
import { InterfaceError } from './errors.ts'

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

/**
 * Refuses what makes no sense as a statement by itself: its effect would be reset before anyone could use it.
 *
 * @throws InterfaceError that says what to use.
 */
export function checkOneShot(method: string, sql: string): void {
  const word = firstWord(sql)
  const use = instead.get(word)
  if (use === undefined) return
  throw new InterfaceError(
    `pool.${method}(): ${word.toUpperCase()} has no lasting effect there; use ${use}`,
    {
      outcome: 'not-sent',
    },
  )
}
