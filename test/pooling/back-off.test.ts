import { expect, test } from 'vitest'
import { BackOff } from '../../src/pooling/back-off.ts'

/** The delays after `failures` failures in a row, each at the time of its attempt. */
function delays(backOff: BackOff, failures: number, from = 0): number[] {
  let now = from
  return Array.from({ length: failures }, () => {
    const retryAt = backOff.failed(now)
    const delay = retryAt - now
    now = retryAt
    return delay
  })
}

test('the delay doubles from 50 ms to 500 ms', () => {
  expect(delays(new BackOff(() => 1), 7)).toEqual([50, 100, 200, 400, 500, 500, 500])
})

test('jitter takes up to half of it away', () => {
  expect(delays(new BackOff(() => 0), 3)).toEqual([25, 50, 100])
})

test('before the first success, and after each delay, one attempt is allowed', () => {
  const backOff = new BackOff(() => 1)
  expect(backOff.allowance(0)).toBe(1)
  backOff.failed(0)
  expect(backOff.allowance(49)).toBe(0)
  expect(backOff.allowance(50)).toBe(1)
  backOff.succeeded(50, 60)
  expect(backOff.allowance(60)).toBe(Number.POSITIVE_INFINITY)
})

test('a success that was begun before the last failure does not end the delay', () => {
  const backOff = new BackOff(() => 1)
  backOff.succeeded(0, 1)
  backOff.failed(100)
  backOff.succeeded(90, 110)
  expect(backOff.allowance(120)).toBe(0)
})

test('failures are forgotten once a success has held for a second, not before', () => {
  const backOff = new BackOff(() => 1)
  delays(backOff, 3)
  backOff.succeeded(350, 350)
  expect(delays(backOff, 1, 1_349)).toEqual([400])
  backOff.succeeded(1_749, 1_749)
  expect(delays(backOff, 1, 2_749)).toEqual([50])
})
