/**
 * The value that `share` (0 to 1) of the values, in ascending order, do not exceed, by the nearest rank: always one
 * of the values.
 *
 * @throws RangeError where there are no values.
 */
export function percentile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) throw new RangeError('there is no percentile of no values')
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}

/**
 * The middle value; of an even number of values, the mean of the two in the middle.
 *
 * @throws RangeError where there are no values.
 */
export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort()
  const upper = sorted.length >> 1
  if (sorted.length === 0) throw new RangeError('there is no median of no values')
  return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2
}
