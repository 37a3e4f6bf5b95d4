export interface Ranked {
  /** The heap's first has the least. Who changes it in place has to call `sink`. */
  due: number
  /** Where it stands in its heap; -1 outside. The heap alone writes it. */
  place: number
}

/** A binary heap that knows each member's place, so that leaving costs O(log n) wherever it stands. */
export class Heap<T extends Ranked> {
  readonly #items: T[] = []

  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  /** Takes out `item`, which must be in the heap. */
  remove(item: T): void {
    const { place } = item
    item.place = -1
    const last = this.#items.pop()!
    if (last === item) return
    this.#rise(last, place)
    this.sink(last)
  }

  /** Puts `item` where it belongs after its `due` grew. */
  sink(item: T): void {
    const items = this.#items
    let { place } = item
    for (let childPlace = 2 * place + 1; childPlace < items.length; childPlace = 2 * place + 1) {
      const right = items[childPlace + 1]
      if (right !== undefined && right.due < items[childPlace]!.due) childPlace++
      const child = items[childPlace]!
      if (item.due <= child.due) break
      this.#put(child, place)
      place = childPlace
    }
    this.#put(item, place)
  }

  #put(item: T, place: number): void {
    this.#items[place] = item
    item.place = place
  }

  #rise(item: T, from: number): void {
    let place = from
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = this.#items[parentPlace]!
      if (parent.due <= item.due) break
      this.#put(parent, place)
      place = parentPlace
    }
    this.#put(item, place)
  }
}
