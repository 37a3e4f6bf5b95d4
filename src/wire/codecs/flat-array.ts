import type { OutBuffer } from '../out-buffer.ts'
import { type Codec, Refusal, refused } from './codec.ts'

/** PostgreSQL's MAXDIM. */
export const mostDimensions = 6

/** An array ready to be written: the length of each dimension, and the elements in their order. */
export interface FlatArray {
  readonly lengths: readonly number[]
  readonly elements: readonly unknown[]
}

/**
 * A JavaScript array as PostgreSQL takes it: rectangular, and without dimensions where it has no elements.
 *
 * @throws Refusal telling the place of what does not fit, and whatever the caller's code throws.
 */
export function flatten(element: Codec, value: unknown): FlatArray {
  if (!Array.isArray(value)) throw refused('an array', value)
  const lengths = element.takesArrays ? [value.length] : lengthsOf(value)
  const elements: unknown[] = []
  collect(element, value, lengths, [], elements)
  return { lengths: elements.length === 0 ? [] : lengths, elements }
}

function lengthsOf(array: unknown[]): number[] {
  const lengths: number[] = []
  for (let inner: unknown = array; Array.isArray(inner); inner = inner[0]) {
    if (lengths.length === mostDimensions) {
      throw new Refusal(`PostgreSQL's arrays have ${mostDimensions} dimensions at most`)
    }
    lengths.push(inner.length)
  }
  return lengths
}

function collect(
  element: Codec,
  array: unknown[],
  lengths: readonly number[],
  path: readonly number[],
  elements: unknown[],
): void {
  const innermost = path.length === lengths.length - 1
  for (let i = 0; i < array.length; i++) {
    const item = array[i]
    const itemPath = [...path, i]
    if (innermost) elements.push(prepareElement(element, item, itemPath))
    else if (Array.isArray(item) && item.length === lengths[itemPath.length]) {
      collect(element, item, lengths, itemPath, elements)
    } else {
      const expected = `an array of ${lengths[itemPath.length]}, as the first beside it (PostgreSQL's arrays are rectangular)`
      throw new Refusal(refused(expected, item).message, itemPath)
    }
  }
}

function prepareElement(element: Codec, value: unknown, path: readonly number[]): unknown {
  if (value === null) return null
  try {
    if (value === undefined) throw new Refusal('undefined is no value; use null for NULL')
    if (Array.isArray(value) && !element.takesArrays)
      throw refused(`no array beside an element that is none`, value)
    return element.prepare === undefined ? value : element.prepare(value)
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(error.message, path) : error
  }
}

/** Writes one element; a refusal of it tells its place. */
export function encodeElement(element: Codec, flat: FlatArray, index: number, out: OutBuffer): void {
  try {
    element.encode(flat.elements[index], out)
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(error.message, pathOf(index, flat.lengths)) : error
  }
}

function pathOf(index: number, lengths: readonly number[]): number[] {
  const path: number[] = []
  let rest = index
  for (let dimension = lengths.length - 1; dimension >= 0; dimension--) {
    const length = lengths[dimension]!
    path.unshift(rest % length)
    rest = Math.floor(rest / length)
  }
  return path
}
