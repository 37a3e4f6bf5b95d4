import type { Clock } from '../deadline.ts'
import { Alarm } from './alarm.ts'

export interface Timed {
  readonly deadline: number
  /** Where it stands in the queue's heap; -1 outside. The queue alone writes it. */
  place: number
}

/** Things with a deadline under one timer: a binary heap that knows each member's place, so that leaving costs O(log n). */
export class DeadlineQueue<T extends Timed> {
  readonly #heap: T[] = []
  readonly #alarm: Alarm
  readonly #expired: (items: T[], now: number) => void

  /** `expired` gets those whose time has run out together, already removed, the earliest deadline first. */
  constructor(clock: Clock, expired: (items: T[], now: number) => void) {
    this.#alarm = new Alarm(clock, (now) => this.#expire(now))
    this.#expired = expired
  }

  add(item: T, now: number): void {
    this.#heap.push(item)
    this.#rise(item, this.#heap.length - 1)
    this.#alarm.by(item.deadline, now)
  }

  /** Does nothing where `item` is not in the queue. */
  remove(item: T): void {
    const place = item.place
    if (place < 0) return
    item.place = -1
    const last = this.#heap.pop()!
    if (last === item) return
    this.#rise(last, place)
    this.#sink(last, last.place)
  }

  /** Stops the timer. Nothing may be left in the queue. */
  stop(): void {
    this.#alarm.clear()
  }

  #expire(now: number): void {
    const expired: T[] = []
    let first = this.#heap[0]
    while (first !== undefined && first.deadline <= now) {
      this.remove(first)
      expired.push(first)
      first = this.#heap[0]
    }
    if (first !== undefined) this.#alarm.by(first.deadline, now)
    if (expired.length > 0) this.#expired(expired, now)
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item
    item.place = place
  }

  #rise(item: T, from: number): void {
    let place = from
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = this.#heap[parentPlace]!
      if (parent.deadline <= item.deadline) break
      this.#put(parent, place)
      place = parentPlace
    }
    this.#put(item, place)
  }

  #sink(item: T, from: number): void {
    const heap = this.#heap
    let place = from
    for (let childPlace = 2 * place + 1; childPlace < heap.length; childPlace = 2 * place + 1) {
      const right = heap[childPlace + 1]
      if (right !== undefined && right.deadline < heap[childPlace]!.deadline) childPlace++
      const child = heap[childPlace]!
      if (item.deadline <= child.deadline) break
      this.#put(child, place)
      place = childPlace
    }
    this.#put(item, place)
  }
}
