import type { OutBuffer } from '../out-buffer.ts'
import { type Codec, Refusal, refused, undefinedRefused, withinPart } from './codec.ts'

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
  collect(element, value, lengths, 0, elements)
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
  depth: number,
  elements: unknown[],
): void {
  const inner = lengths[depth + 1]
  let i = 0
  try {
    for (; i < lengths[depth]!; i++) {
      const item = array[i]
      if (inner === undefined) elements.push(prepareElement(element, item))
      else if (Array.isArray(item) && item.length === inner) {
        collect(element, item, lengths, depth + 1, elements)
      } else throw refused(`an array of the length ${inner}, as the first one beside it has`, item)
    }
  } catch (error) {
    throw withinPart(error, i)
  }
}

function prepareElement(element: Codec, value: unknown): unknown {
  if (value === null) return null
  if (value === undefined) throw undefinedRefused()
  if (Array.isArray(value) && !element.takesArrays) {
    throw refused('a single value, as the first one beside it is', value)
  }
  return element.prepare === undefined ? value : element.prepare(value)
}

/** Writes one element; a refusal of it tells its place. */
export function encodeElement(element: Codec, flat: FlatArray, index: number, out: OutBuffer): void {
  try {
    element.encode(flat.elements[index], out)
  } catch (error) {
    throw withinPart(error, ...pathOf(index, flat.lengths))
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
