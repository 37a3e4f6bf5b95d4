import { expect, test } from 'vitest'
import { Carrier } from '../../src/carrier.ts'
import type { Session } from '../../src/connection/session.ts'
import type { Lease } from '../../src/pooling/index.ts'

const carrier = () => {
  const lease = { connection: { isClosed: false } } as unknown as Lease<Session>
  return new Carrier(lease, 0, 1_000, Number.POSITIVE_INFINITY)
}

test('R16: a connection is soon done while what is in flight on it is expected to take 2 ms', () => {
  const busy = carrier()
  for (let statements = 0; statements < 4; statements++) {
    expect(busy.isShort(0.5)).toBe(true)
    busy.board(0.5, 0)
  }
  expect(busy.isShort(0.5)).toBe(false)
  expect(busy.hasRoom(0.5, 0)).toBe(true)
  busy.alight(0.5, 1, 'answered')
  expect(busy.isShort(0.5)).toBe(true)
})

test('R16: one with nothing in flight takes whatever may share', () => {
  expect(carrier().isShort(4.9)).toBe(true)
})
