import { describe, expect, it } from 'vitest'
import { median, percentile } from '../src/statistics.ts'

describe('the median', () => {
  it('is the middle one of an odd number of values, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([7])).toBe(7)
  })

  it('is the mean of the two in the middle of an even number of values', () => {
    expect(median([10, 1, 2, 4])).toBe(3)
  })

  it('orders by value, not by text', () => {
    expect(median([100, 20, 3])).toBe(20)
  })

  it('leaves the values in their order', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })

  it('of no values is refused', () => {
    expect(() => median([])).toThrow('there is no median of no values')
  })
})

describe('a percentile', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1)

  it('is the value that this share of the values do not exceed', () => {
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
  })

  it('is the lowest value at 0 and the highest at 1', () => {
    expect(percentile(hundred, 0)).toBe(1)
    expect(percentile(hundred, 1)).toBe(100)
  })

  it('is one of the values even where they are few', () => {
    expect(percentile(Float64Array.of(2, 4), 0.99)).toBe(4)
    expect(percentile(Float64Array.of(2, 4), 0.5)).toBe(2)
  })

  it('of no values is refused', () => {
    expect(() => percentile(new Float64Array(), 0.5)).toThrow('there is no percentile of no values')
  })
})
