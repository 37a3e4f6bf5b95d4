import type { Clock } from '../deadline.ts'
import { Alarm } from './alarm.ts'
import { Heap, type Ranked } from './heap.ts'

/** So many at most are told in one turn: what each of them does then is done in the same turn. */
export const mostAtOnce = 250

/** Something whose time runs out `timeout` milliseconds after `since`. The queue alone writes the other fields. */
export interface Timed<T> {
  readonly since: number
  readonly timeout: number
  /** The line in which it stands; undefined outside. */
  line: Line<T> | undefined
  before: T | undefined
  behind: T | undefined
}

/** Those with one time-out: in the order in which they came, and so, as time goes one way, of their deadlines. */
export class Line<T> implements Ranked {
  first: T | undefined
  last: T | undefined
  /** The deadline of the first, or an earlier one of those that stood before it. */
  due: number
  place = -1
  readonly timeout: number

  constructor(timeout: number, due: number) {
    this.timeout = timeout
    this.due = due
  }
}

/**
 * Things with a deadline under one timer. Coming and leaving cost O(1) where the time-out is that of the one that came
 * last, or of others that wait; O(log n) in the number of different time-outs where it is not.
 */
export class DeadlineQueue<T extends Timed<T>> {
  /** By their time-outs. None is empty but, perhaps, the latest. */
  readonly #lines = new Map<number, Line<T>>()
  readonly #heap = new Heap<Line<T>>()
  /** The line of the one that came last. It stays though it is empty: the next is likely to have the same time-out. */
  #latest: Line<T> | undefined
  readonly #alarm: Alarm
  readonly #expired: (items: T[], now: number) => void

  /**
   * `expired` gets those whose time has run out together, already removed, the earliest deadline first. Where they are
   * many, the others stay, and may still be removed, until the next turn.
   */
  constructor(clock: Clock, expired: (items: T[], now: number) => void) {
    this.#alarm = new Alarm(clock, (now) => this.#expire(now))
    this.#expired = expired
  }

  /** `item` comes now: its `since` is not before that of any other. */
  add(item: T): void {
    const latest = this.#latest
    const line = latest !== undefined && latest.timeout === item.timeout ? latest : this.#lineFor(item)
    const { last } = line
    if (last === undefined) line.first = item
    else last.behind = item
    item.before = last
    item.line = line
    line.last = item
  }

  /** Does nothing where `item` is not in the queue. */
  remove(item: T): void {
    const { line, before, behind } = item
    if (line === undefined) return
    if (before === undefined) line.first = behind
    else before.behind = behind
    if (behind === undefined) line.last = before
    else behind.before = before
    item.line = undefined
    item.before = undefined
    item.behind = undefined
    if (line.first === undefined && line !== this.#latest) this.#drop(line)
  }

  /** Stops the timer. Nothing may be left in the queue. */
  stop(): void {
    this.#alarm.clear()
  }

  #lineFor({ since, timeout }: T): Line<T> {
    const latest = this.#latest
    if (latest !== undefined && latest.first === undefined) this.#drop(latest)
    let line = this.#lines.get(timeout)
    if (line === undefined) {
      line = new Line(timeout, since + timeout)
      this.#lines.set(timeout, line)
      this.#heap.add(line)
      this.#alarm.by(line.due, since)
    }
    this.#latest = line
    return line
  }

  #drop(line: Line<T>): void {
    this.#lines.delete(line.timeout)
    this.#heap.remove(line)
    if (line === this.#latest) this.#latest = undefined
  }

  #expire(now: number): void {
    const expired: T[] = []
    let line = this.#heap.first
    while (line !== undefined && line.due <= now && expired.length < mostAtOnce) {
      const { first } = line
      if (first === undefined) {
        this.#drop(line)
      } else if (line.due < first.since + first.timeout) {
        line.due = first.since + first.timeout
        this.#heap.sink(line)
      } else {
        this.remove(first)
        expired.push(first)
      }
      line = this.#heap.first
    }
    if (line !== undefined) this.#alarm.by(line.due, now)
    if (expired.length > 0) this.#expired(expired, now)
  }
}
