import { type Figures, interleave, middle, ratio } from '../rounds.ts'
import { times, whole } from '../table.ts'
import { atLeast, atMost, type Finding, type Run, ratioNote, type Target, type Topic } from '../topic.ts'
import { packageVersions } from '../versions.ts'
import { playLap } from './lap.ts'
import { floor, ours, poolers } from './poolers.ts'

const crowds = [1, 10, 100, 10_000]
const names = poolers.map(({ name }) => name)

/** What the pool itself takes, without a database behind it. */
export const handOut: Topic = {
  name: 'hand-out',
  peers: names,

  async measure({ rounds, seconds, signal, takes, tell }: Run): Promise<Finding> {
    const chosen = names.filter(takes)
    const crowd = async (callers: number) => {
      tell(`${callers} callers`)
      const lap = (pool: string) => async () => ({
        cost: await playLap<number>({ lap: 'hand-out', pool, callers, seconds }, signal),
      })
      return { callers, lanes: await interleave(chosen.map(lap), rounds) }
    }
    const laps: Crowd[] = []
    for (const callers of crowds) laps.push(await crowd(callers))
    return {
      title: 'Acquire + release on a fake connection',
      notes: [
        'Nanoseconds for one acquire and release of one of 10 connections that lead nowhere. Each caller holds its ' +
          'connection for one microtask and acquires again; the loop of the callers is in the figure. Each pool runs in ' +
          'a process of its own, by its default options: only the waits of rockpool and tarn have a time limit then.',
        '“An array and a promise” is the least that a pool can be: it opens, checks, limits and counts nothing.',
        ...ratioNote(chosen),
      ],
      tables: [
        {
          columns: [
            { title: 'callers', align: 'right' },
            { title: 'who', align: 'left' },
            { title: 'ns', align: 'right' },
            { title: 'ns: ratio', align: 'right' },
          ],
          rows: laps.flatMap(({ callers, lanes }) =>
            chosen.map((name, index) => [
              index === 0 ? whole(callers) : '',
              name,
              whole(middle('cost', lanes[index]!)),
              index === 0 ? '' : times(ratio('cost', lanes[0]!, lanes[index]!)),
            ]),
          ),
        },
      ],
      targets: chosen[0] === ours ? laps.flatMap((lap) => targets(chosen, lap)) : [],
      absent: [],
      versions: packageVersions(chosen),
    }
  },
}

interface Crowd {
  callers: number
  lanes: Figures[][]
}

function targets(chosen: readonly string[], { callers, lanes }: Crowd): Target[] {
  const own = lanes[0]!
  const what = `${whole(callers)} ${callers === 1 ? 'caller' : 'callers'}`
  const peers = chosen
    .map((name, index) => ({ name, lane: lanes[index]! }))
    .filter(({ name }) => name !== ours && name !== floor)
    .sort((one, other) => middle('cost', one.lane) - middle('cost', other.lane))
  const fastest = peers[0]
  const least = lanes[chosen.indexOf(floor)]
  return [
    ...(fastest === undefined
      ? []
      : [
          atLeast(
            `${what}: acquires a second`,
            ratio('cost', fastest.lane, own),
            2,
            `the fastest peer (${fastest.name})`,
          ),
        ]),
    ...(least === undefined ? [] : [atMost(`${what}: ns`, ratio('cost', own, least), 2, floor)]),
  ]
}
