import { InterfaceError } from './errors.ts'

/** What a statement by itself on a pool cannot do, by its first word, and what to use for it. */
const refused: readonly [pattern: RegExp, use: string][] = [
  [/^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release)\b/i, 'pool.transaction()'],
  [/^(listen|unlisten)\b/i, 'pool.listen(), or addListener() of a connection'],
  [/^(set|reset)\b/i, 'serverSettings, or pool.use() with all that needs the setting'],
  [/^(prepare|deallocate|declare|discard)\b/i, 'pool.use() with all that needs it'],
  [/^copy\b/i, 'pool.use() and its copy methods'],
]

/** White space and comments before a statement's first word. */
const leading = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/

/**
 * Refuses what makes no sense as a statement by itself: its effect would be reset before anyone could use it.
 *
 * @throws InterfaceError that says what to use.
 */
export function checkOneShot(method: string, sql: string): void {
  const text = sql.replace(leading, '')
  for (const [pattern, use] of refused) {
    const match = pattern.exec(text)
    if (match === null) continue
    throw new InterfaceError(
      `pool.${method}(): ${match[0].toUpperCase()} has no lasting effect there; use ${use}`,
      {
        outcome: 'not-sent',
      },
    )
  }
}
