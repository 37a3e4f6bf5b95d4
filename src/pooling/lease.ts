import type { Slot } from './slot.ts'

/** Who takes leased connections back. */
export interface Lessor<C> {
  takeBack(slot: Slot<C>, lease: Lease<C>): void
}

/** One hand-out of one connection: the right to use it until `release`. */
export class Lease<C> {
  readonly connection: C
  /** Unique among the hand-outs of a pool, and rising: what tells one owner of a connection from the next. */
  readonly number: number
  /** On the pool's clock, in milliseconds. */
  readonly acquiredAt: number
  /** Who acquired it, where the caller said so. */
  readonly holder: string | undefined
  readonly #slot: Slot<C>
  #lessor: Lessor<C> | undefined

  constructor(
    lessor: Lessor<C>,
    slot: Slot<C>,
    number: number,
    acquiredAt: number,
    holder: string | undefined,
  ) {
    this.#lessor = lessor
    this.#slot = slot
    this.connection = slot.connection
    this.number = number
    this.acquiredAt = acquiredAt
    this.holder = holder
  }

  /** Gives the connection back. Does nothing the second time, and no harm where the connection has died meanwhile. */
  release(): void {
    const lessor = this.#lessor
    if (lessor === undefined) return
    this.#lessor = undefined
    lessor.takeBack(this.#slot, this)
  }
}
