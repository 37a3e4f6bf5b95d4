import type { PlantedBug } from './bugs.ts'
import type { Finding } from './planting.ts'

export interface Result {
  readonly bug: PlantedBug
  readonly finding: Finding
}

export function isFound({ finding }: Result): boolean {
  return finding.kind !== 'nothing' && finding.kind !== 'broken'
}

/** What told of it, the seeds that it took, and the seconds. */
function told(finding: Finding): [string, string, string] {
  if (finding.kind === 'broken') return ['does not fit the source of today', '', '']
  const seconds = (finding.ms / 1000).toFixed(1)
  switch (finding.kind) {
    case 'violation':
      return [`${finding.invariant}: ${finding.detail}`, String(finding.seed), seconds]
    case 'nothing':
      return ['**not found**', `> ${finding.seed}`, seconds]
    default:
      return [`${finding.kind}: ${finding.detail}`, `≤ ${finding.seed}`, seconds]
  }
}

/** The results as a table in Markdown. */
export function table(results: readonly Result[]): string {
  const head = ['| bug | the mistake | in | told by | seed | s |', '|---|---|---|---|--:|--:|']
  const rows = results.map(({ bug, finding }) => {
    return `| ${[bug.name, bug.sentence, bug.files.join(', '), ...told(finding)].join(' | ')} |`
  })
  return [...head, ...rows].join('\n')
}
