/** How a sender ended: in order, or by a reset. */
export type End = 'FIN' | 'RST'

interface Item {
  what: Buffer | End
  /** When it may be passed on, in milliseconds of the clock. */
  due: number
}

/** What came from a sender and waits to be passed on: bytes and their end, in order, each with its time. */
export class Backlog {
  #items: Item[] = []
  #bytes = 0
  #latency = 0
  #jitter = 0
  readonly #now: () => number
  readonly #random: () => number

  constructor(now: () => number, random: () => number) {
    this.#now = now
    this.#random = random
  }

  get bytes(): number {
    return this.#bytes
  }

  get head(): Buffer | End | undefined {
    return this.#items[0]?.what
  }

  /** Milliseconds until the head may be passed on. */
  get wait(): number {
    const [head] = this.#items
    return head === undefined ? 0 : Math.max(0, head.due - this.#now())
  }

  /** What waits already waits no longer than what comes now. */
  delay(latency: number, jitter: number): void {
    this.#latency = latency
    this.#jitter = jitter
    const latest = this.#now() + latency
    for (const item of this.#items) item.due = Math.min(item.due, latest)
  }

  push(what: Buffer | End): void {
    if (Buffer.isBuffer(what)) {
      if (what.length === 0) return
      this.#bytes += what.length
    }
    this.#items.push({ what, due: this.#now() + this.#latency + this.#random() * this.#jitter })
  }

  /** Takes the head off; of bytes, no more than `most`. */
  take(most: number): void {
    const [head] = this.#items
    if (head === undefined) return
    if (Buffer.isBuffer(head.what)) {
      this.#bytes -= Math.min(most, head.what.length)
      head.what = head.what.subarray(most)
      if (head.what.length > 0) return
    }
    this.#items.shift()
  }

  clear(): void {
    this.#items = []
    this.#bytes = 0
  }
}
