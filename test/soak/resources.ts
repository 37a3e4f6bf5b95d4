import type { Sample } from './messages.ts'
import { slope } from './statistics.ts'

/** The first part of a run, in which memory and pools find their size. */
const warmUp = 0.1

export interface Course {
  /** By `now()`. */
  began: number
  ended: number
  samples: readonly Sample[]
}

export interface Growth {
  name: string
  of(sample: Sample): number
  digits: number
  /** After the warm-up, and in the end; `undefined`: there is no sample. */
  first: number | undefined
  last: number | undefined
  /** By the line of least squares. */
  hourly: number
  /** What nobody can explain by chance, over the whole run. */
  limit: number
}

const kinds = [
  { name: 'heap, MB', of: ({ heap }: Sample) => heap / 1e6, digits: 2, limit: 8 },
  { name: 'sockets', of: ({ sockets }: Sample) => sockets, digits: 0, limit: 15 },
  { name: 'timers', of: ({ timers }: Sample) => timers, digits: 0, limit: 30 },
]

const hour = 3_600_000

/** How what the load holds has grown since the warm-up. */
export function growths({ began, ended, samples }: Course): Growth[] {
  const steady = samples.filter(({ at }) => at >= began + (ended - began) * warmUp)
  return kinds.map((kind) => {
    const points = steady.map((sample) => ({ x: (sample.at - began) / hour, y: kind.of(sample) }))
    return { ...kind, first: points.at(0)?.y, last: points.at(-1)?.y, hourly: slope(points) }
  })
}

/** In fewer minutes than this there is no trend to be seen. */
const leastTime = 3 * 60_000

/** What has grown so much that something must be kept for ever (I9). */
export function leaks(course: Course): string[] {
  const time = course.ended - course.began
  if (time < leastTime) return []
  const hours = time / hour
  return growths(course)
    .filter(({ hourly, limit }) => hourly * hours > limit)
    .map(({ name, hourly }) => `${name} of the load: ${hourly.toFixed(1)} more an hour`)
}
