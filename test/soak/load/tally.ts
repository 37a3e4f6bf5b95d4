import { Counts } from '../counts.ts'
import type { Fate } from '../messages.ts'
import { tell } from './link.ts'

/** Counts what happened, for the main process to add up: this one keeps nothing, so that its heap shows the pool's. */
export class Tally {
  #counts = new Counts()
  #writes: [number, Fate, string][] = []
  #waits: number[] = []
  #nextId = 1
  readonly #timer = setInterval(() => this.flush(), 250)

  count(operation: string, result: string): void {
    this.#counts.add(operation, result)
  }

  /** How long an `acquire` waited, in milliseconds. */
  waited(ms: number): void {
    this.#waits.push(Math.round(ms * 100) / 100)
  }

  /** An id for a write that no other has. */
  newId(): number {
    return this.#nextId++
  }

  /** `how`: what its caller was told, for whoever has to find out why it is not so. */
  settle(id: number, fate: Fate, how: string): void {
    this.#writes.push([id, fate, how])
  }

  flush(): void {
    tell({ kind: 'tally', counts: this.#counts.entries(), writes: this.#writes, waits: this.#waits })
    this.#counts = new Counts()
    this.#writes = []
    this.#waits = []
  }

  stop(): void {
    clearInterval(this.#timer)
    this.flush()
  }
}
