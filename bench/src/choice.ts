import { UsageError } from './command-line.ts'
import type { Topic } from './topic.ts'

/** A topic, and who of its contestants takes part. */
export interface Choice {
  topic: Topic
  takes(peer: string): boolean
}

/**
 * The topics with `part` in their name and, of the others, those with contestants that have it in theirs: with these
 * only.
 *
 * @throws UsageError where there is none.
 */
export function choose(topics: readonly Topic[], part: string): Choice[] {
  const has = (name: string) => name.toLowerCase().includes(part.toLowerCase())
  const chosen = topics.flatMap((topic): Choice[] => {
    if (has(topic.name)) return [{ topic, takes: () => true }]
    return topic.peers.some(has) ? [{ topic, takes: has }] : []
  })
  if (chosen.length > 0) return chosen
  const names = topics.map(({ name, peers }) => `${name} (${peers.join('; ')})`)
  throw new UsageError(
    `--only: none has ${JSON.stringify(part)} in its name; there are:\n${names.join('\n')}`,
  )
}
