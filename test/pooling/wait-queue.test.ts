import { expect, test } from 'vitest'
import type { Lease } from '../../src/pooling/lease.ts'
import { Waiter, WaitQueue } from '../../src/pooling/wait-queue.ts'
import { VirtualClock } from './support/virtual-clock.ts'

test('I2: a waiter that was served or refused is settled: whatever would refuse it later is not heard', () => {
  const queue = new WaitQueue<object>(
    new VirtualClock(),
    () => {},
    () => {},
  )
  for (const first of ['serve', 'refuse'] as const) {
    const heard: unknown[] = []
    const waiter = new Waiter<object>(
      0,
      0,
      undefined,
      () => heard.push('served'),
      (reason) => heard.push(reason),
    )
    queue.add(waiter, undefined)
    if (first === 'serve') queue.serve(waiter, {} as Lease<object>)
    else queue.refuse(waiter, 'first')
    queue.refuse(waiter, 'second')
    expect(heard).toEqual([first === 'serve' ? 'served' : 'first'])
    expect(queue.length).toBe(0)
  }
})
