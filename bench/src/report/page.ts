import type { Absent, Finding, Table } from '../topic.ts'

/** What the figures depend on beside the code. */
export interface Facts {
  /** `2026-11-23` */
  date: string
  rounds: number
  seconds: number
  /** Its processors, memory and system. */
  machine: string
  /** `embedded PostgreSQL 18.4` */
  server: string
  versions: Record<string, string>
}

/** The page of the whole run, in Markdown; its plots lie in the folder `benchmarks` beside it. */
export function benchmarksPage(findings: readonly Finding[], facts: Facts): string {
  const absent = new Map(findings.flatMap((finding) => finding.absent).map((one) => [one.name, one]))
  return `${[
    '# Benchmarks',
    `Written by \`npm run bench\` on ${facts.date}: ${facts.rounds} rounds of ${facts.seconds} s. Do not edit.`,
    'All that is compared takes turns within a round, every second round backwards. A figure is the median of the ' +
      'rounds. A ratio is taken within each round: its median is shown, and the lowest and the highest of the rounds. ' +
      'Client and server share the machine, so trust the ratios, not the absolute figures. Every answer is checked; a ' +
      'wrong one ends the run.',
    '## Targets',
    targetTable(findings),
    '[What makes these figures](speed.md), and where the time goes where a target is not met.',
    ...findings.flatMap(section),
    '## The machine, and what ran on it',
    `${facts.machine}; ${facts.server}.`,
    markdownTable({
      columns: [
        { title: 'what', align: 'left' },
        { title: 'version', align: 'left' },
      ],
      rows: Object.entries(facts.versions),
    }),
    ...(absent.size === 0 ? [] : [absentList([...absent.values()])]),
    '## Again',
    '```sh\nnpm ci\nnpm run bench                    # all of it, and this page\nnpm run bench -- --only waiters   # a part of it\n```',
    '[bench/README.md](../bench/README.md) has the rest.',
  ].join('\n\n')}\n`
}

function section({ title, notes, tables, plots = [] }: Finding): string[] {
  return [
    `## ${title}`,
    ...notes,
    ...plots.map((plot) => `![${plot.title}](benchmarks/${plot.name}.svg)`),
    ...tables.flatMap((table) => [
      ...(table.caption === undefined ? [] : [table.caption]),
      markdownTable(table),
    ]),
  ]
}

function targetTable(findings: readonly Finding[]): string {
  return markdownTable({
    columns: ['work', 'what', 'target', 'measured', 'met'].map((title) => ({ title, align: 'left' })),
    rows: findings.flatMap(({ title, targets }) =>
      targets.map(({ what, wanted, measured, met }, index) => [
        index === 0 ? title : '',
        what,
        wanted,
        measured,
        met ? 'yes' : '**no**',
      ]),
    ),
  })
}

function absentList(absent: readonly Absent[]): string {
  return [
    'Not installed, and so not measured:\n',
    ...absent.map(({ name, install }) => `- ${name} (\`${install}\`)`),
  ].join('\n')
}

function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    line(columns.map(({ title }) => title)),
    `|${columns.map(({ align }) => (align === 'left' ? '---' : '---:')).join('|')}|`,
    ...rows.map(line),
  ].join('\n')
}
