/** A member of at most one list at a time. The list alone writes these fields. */
export interface Linked<N> {
  previous: N | undefined
  next: N | undefined
}

/** A list whose links lie in its members: adding and removing cost the same wherever the member stands, and no memory. */
export class LinkedList<N extends Linked<N>> {
  #first: N | undefined
  #last: N | undefined
  #length = 0

  get first(): N | undefined {
    return this.#first
  }

  get last(): N | undefined {
    return this.#last
  }

  get length(): number {
    return this.#length
  }

  /** Adds `node`, which must be in no list, behind the last. */
  push(node: N): void {
    node.previous = this.#last
    if (this.#last === undefined) this.#first = node
    else this.#last.next = node
    this.#last = node
    this.#length++
  }

  /** Takes out `node`, which must be in this list. */
  remove(node: N): void {
    const { previous, next } = node
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    node.previous = undefined
    node.next = undefined
    this.#length--
  }

  /** From the first to the last. The list must not change meanwhile. */
  *[Symbol.iterator](): Generator<N, void> {
    for (let node = this.#first; node !== undefined; node = node.next) yield node
  }
}
