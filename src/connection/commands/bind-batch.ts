import type { RockpoolError } from '../../errors.ts'
import { writeExecute } from '../../wire/frontend.ts'
import { OutBuffer } from '../../wire/out-buffer.ts'
import type { Statement } from '../statements/statement.ts'

/** So many bytes are written, and then the turn of the event loop ends. */
const slab = 65_536
/** What is written while the lists are checked is kept up to so many bytes; what is behind it is written again. */
const mostKept = 16 * slab
/** What is reserved for one list of arguments. */
const usualSize = 128

/**
 * The Binds and Executes of one statement for many lists of arguments. All lists are checked, by being written, before
 * the first is to be sent; the memory that this takes is bounded.
 */
export class BindBatch {
  readonly #statement: Statement
  readonly #lists: readonly (readonly unknown[])[]
  /** What was written first, in the lists' order. */
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #checked = 0
  /** Behind those that are kept: the first that is not written again. */
  #next = 0

  constructor(statement: Statement, lists: readonly (readonly unknown[])[]) {
    this.#statement = statement
    this.#lists = lists
  }

  /** Whether every list has been found to fit. */
  get isChecked(): boolean {
    return this.#checked === this.#lists.length
  }

  /** The first of what is to be sent. */
  get kept(): readonly Buffer[] {
    return this.#kept
  }

  /**
   * Checks a slab's worth of lists. May run the user's code.
   *
   * @throws DataError or InterfaceError with the `index` of the list that does not fit
   */
  check(): void {
    const left = this.#lists.length - this.#checked
    const out = new OutBuffer(usualSize + Math.min(slab, left * usualSize))
    this.#checked = this.#write(this.#checked, out)
    if (this.#keptBytes >= mostKept) return
    this.#kept.push(out.written)
    this.#keptBytes += out.position
    this.#next = this.#checked
  }

  /**
   * Writes a slab's worth of the lists that are not kept; returns whether there were any.
   *
   * @throws as `check`, of a list that has changed since
   */
  writeNext(out: OutBuffer): boolean {
    this.#next = this.#write(this.#next, out)
    return out.position > 0
  }

  /** Returns the index of the first list that is not written. */
  #write(first: number, out: OutBuffer): number {
    const statement = this.#statement
    const lists = this.#lists
    let index = first
    try {
      for (; index < lists.length && out.position < slab; index++) {
        statement.writeBind(out, statement.prepareArguments(lists[index]!))
        writeExecute(out, 0)
      }
    } catch (error) {
      throw withIndex(error as RockpoolError, index)
    }
    return index
  }
}

export function withIndex<E extends RockpoolError>(error: E, index: number): E {
  return Object.assign(error, { index })
}
