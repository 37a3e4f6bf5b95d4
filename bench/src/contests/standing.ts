import type { Peer } from '../peers/peer.ts'
import type { Lap } from '../race.ts'
import { type Figure, type Figures, middle, type Ratio, ratio } from '../rounds.ts'
import { times } from '../table.ts'
import { atLeast, atMost, type Plot, type Table, type Target } from '../topic.ts'
import type { Contest, Goal, Setting } from './contest.ts'

/** A contest that is over. `peers` took part; a lap has the rounds of each of them. */
export interface Standing {
  contest: Contest
  peers: readonly Peer[]
  laps: readonly Lap[]
}

/** Each figure is the median over the rounds; the ratios are the first peer's to the others'. */
export function tableOf({ contest, peers, laps }: Standing): Table {
  const { columns, compared, by } = contest
  const titleOf = (figure: Figure) => columns.find((column) => column.figure === figure)!.title
  return {
    columns: [
      { title: by, align: 'right' },
      { title: 'who', align: 'left' },
      { title: 'reset', align: 'left' },
      ...columns.map(({ title }) => ({ title, align: 'right' as const })),
      ...compared.map((figure) => ({ title: `${titleOf(figure)}: ratio`, align: 'right' as const })),
    ],
    rows: laps.flatMap(({ setting, rounds }) =>
      peers.map(({ name, reset }, index) => [
        index === 0 ? String(setting[by]) : '',
        name,
        reset,
        ...columns.map(({ figure, render }) => unlessMissing(middle(figure, rounds[index]!), render)),
        ...compared.map((figure) => (index === 0 ? '' : shown(ratio(figure, rounds[0]!, rounds[index]!)))),
      ]),
    ),
  }
}

function shown(quotient: Ratio): string {
  return unlessMissing(quotient.median, () => times(quotient))
}

function unlessMissing(value: number, render: (value: number) => string): string {
  return Number.isNaN(value) ? '–' : render(value)
}

/** What the contest was to show; nothing where one of the two did not take part. */
export function targetsOf(standing: Standing): Target[] {
  return standing.contest.goals.flatMap((goal) => {
    const { by } = standing.contest
    const lap = standing.laps.find(({ setting }) => goal.at === undefined || setting[by] === goal.at)
    const own = roundsOf(standing, lap, [goal.own])[0]
    if (lap === undefined || own === undefined) return []
    const what = describe(standing, goal, lap.setting)
    if (goal.base === undefined) return [boundTarget(what, goal, middle(goal.figure, own))]
    const base = best(goal, roundsOf(standing, lap, [goal.base].flat()))
    if (base === undefined) return []
    const quotient = ratio(goal.figure, own, base)
    return [
      goal.is === 'at least'
        ? atLeast(what, quotient, goal.bound, goal.of)
        : atMost(what, quotient, goal.bound, goal.of),
    ]
  })
}

function roundsOf({ peers }: Standing, lap: Lap | undefined, names: readonly string[]): Figures[][] {
  return peers.flatMap(({ name }, index) => (lap && names.includes(name) ? [lap.rounds[index]!] : []))
}

/** The base that is the hardest to meet. */
function best({ figure, is }: Goal, bases: readonly Figures[][]): Figures[] | undefined {
  const worth = (rounds: Figures[]) => (is === 'at least' ? 1 : -1) * middle(figure, rounds)
  const measured = bases.filter((rounds) => !Number.isNaN(worth(rounds)))
  return measured.toSorted((a, b) => worth(b) - worth(a))[0]
}

function describe({ contest }: Standing, { own, figure }: Goal, setting: Setting): string {
  const { title } = contest.columns.find((column) => column.figure === figure)!
  const number = setting[contest.by]
  return `${own}, ${number} ${number === 1 ? contest.by.slice(0, -1) : contest.by}: ${title}`
}

function boundTarget(what: string, { is, bound, of }: Goal, value: number): Target {
  return {
    what,
    wanted: `${is === 'at least' ? '≥' : '≤'} ${bound} ${of}`,
    measured: `${value.toFixed(1)} ${of}`,
    met: is === 'at least' ? value >= bound : value <= bound,
  }
}

/** The columns that are figures over the settings, a line for each peer. */
export function plotsOf({ contest, peers, laps }: Standing): Plot[] {
  return (contest.plots ?? []).map(({ figure, name, title, x, y }) => ({
    name,
    title,
    x,
    y,
    lines: peers.map((peer, index) => ({
      name: peer.name,
      points: laps.map(({ setting, rounds }) => ({ x: setting[x], y: middle(figure, rounds[index]!) })),
    })),
  }))
}
