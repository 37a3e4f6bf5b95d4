import { type Figures, interleave, middle, ratio } from '../rounds.ts'
import { milliseconds, times, whole } from '../table.ts'
import { atMost, type Finding, type Run, ratioNote, type Target, type Topic } from '../topic.ts'
import { packageVersions } from '../versions.ts'
import { playLap } from './lap.ts'
import type { Queueing } from './laps.ts'
import { floor, ours, poolers } from './poolers.ts'

const queues = [1_000, 10_000, 100_000] as const
const few = queues[0]
const many = queues[2]
const names = poolers.map(({ name }) => name)
/** Milliseconds that the waiters have in the laps in which their time runs out. */
const timeout = 200

/** What a caller costs who waits. */
export const waiters: Topic = {
  name: 'waiters',
  peers: names,

  async measure({ rounds, seconds, signal, takes, tell }: Run): Promise<Finding> {
    const chosen = poolers.filter(({ name }) => takes(name))
    const laps: Queue[] = []
    for (const length of queues) {
      tell(`${whole(length)} waiters`)
      const lap =
        ({ name: pool, timesOut }: (typeof poolers)[number]) =>
        async (): Promise<Figures> => ({
          ...(await playLap<Queueing>({ lap: 'queue', pool, waiters: length, seconds }, signal)),
          ...(timesOut && {
            stall: await playLap<number>({ lap: 'time-out', pool, waiters: length, timeout }, signal),
          }),
        })
      laps.push({ length, lanes: await interleave(chosen.map(lap), rounds) })
    }
    return {
      title: 'Waiters',
      notes: [
        'So many callers wait for one of 10 connections that are all in use; then they are served one after the other. ' +
          'Cost: nanoseconds from a caller’s acquire to its release. Bytes: what it takes of the heap while it waits. ' +
          'Stall: the longest turn of the event loop when the waits of all end together, unserved.',
        ...ratioNote(chosen.map(({ name }) => name)),
      ],
      tables: [
        {
          columns: [
            { title: 'waiters', align: 'right' },
            { title: 'who', align: 'left' },
            { title: 'cost, ns', align: 'right' },
            { title: 'cost, ns: ratio', align: 'right' },
            { title: 'bytes', align: 'right' },
            { title: 'stall, ms', align: 'right' },
          ],
          rows: laps.flatMap(({ length, lanes }) =>
            chosen.map(({ name, timesOut }, index) => [
              index === 0 ? whole(length) : '',
              name,
              whole(middle('cost', lanes[index]!)),
              index === 0 ? '' : times(ratio('cost', lanes[0]!, lanes[index]!)),
              whole(middle('bytes', lanes[index]!)),
              timesOut ? milliseconds(middle('stall', lanes[index]!)) : '—',
            ]),
          ),
        },
      ],
      targets:
        chosen[0]?.name === ours
          ? targets(
              laps,
              chosen.findIndex(({ name }) => name === floor),
            )
          : [],
      absent: [],
      versions: packageVersions(chosen.map(({ name }) => name)),
      plots: [
        {
          name: 'waiters',
          title: 'Cost of a waiter',
          x: 'waiters',
          y: 'ns from acquire to release',
          lines: chosen.map(({ name }, index) => ({
            name,
            points: laps.map(({ length, lanes }) => ({ x: length, y: middle('cost', lanes[index]!) })),
          })),
        },
      ],
    }
  },
}

interface Queue {
  length: number
  lanes: Figures[][]
}

/** Of the first lane, which is ours; beside the growth of its cost stands that of the lane of the least pool. */
function targets(laps: readonly Queue[], least: number): Target[] {
  const rounds = (length: number, lane: number) => laps.find((lap) => lap.length === length)!.lanes[lane]!
  const growth = (lane: number) => ratio('cost', rounds(many, lane), rounds(few, lane))
  const bytes = middle('bytes', rounds(many, 0))
  const stall = middle('stall', rounds(many, 0))
  const what = `${whole(many)} waiters`
  const cost = atMost(`${what}: ns each`, growth(0), 1.5, `that at ${whole(few)}`)
  const beside = least < 0 ? '' : `; ${floor}: ${times(growth(least))}`
  return [
    { ...cost, measured: cost.measured + beside },
    { what: `${what}: bytes each`, wanted: '≤ 400', measured: whole(bytes), met: bytes <= 400 },
    {
      what: `${what}, all timing out together: the longest turn of the loop`,
      wanted: '< 50 ms',
      measured: `${milliseconds(stall)} ms`,
      met: stall < 50,
    },
  ]
}
