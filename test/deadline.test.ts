import { describe, expect, it, vi } from 'vitest'
import { onAbort, systemClock, withDeadline } from '../src/deadline.ts'

describe('a timer of the system clock', () => {
  it('never fires early by the same clock, fractions of a millisecond among it', async () => {
    const early = await Promise.all(
      Array.from({ length: 300 }, (_, i) => {
        const ms = 1 + i / 7.3
        const started = systemClock.now()
        return new Promise<number>((resolve) => {
          systemClock.setTimer(ms, () => resolve(systemClock.now() - started - ms))
        })
      }),
    )
    expect(Math.min(...early)).toBeGreaterThanOrEqual(0)
  })

  it('does not fire once it is cancelled, not even when its time had come', () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setImmediate', 'clearTimeout', 'clearImmediate', 'performance'],
    })
    try {
      let fired = 0
      const timer = systemClock.setTimer(10, () => fired++)
      vi.advanceTimersToNextTimer()
      timer.cancel()
      vi.runAllTimers()
      expect(fired).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('holds for longer than the system can count', () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setImmediate', 'clearTimeout', 'clearImmediate', 'performance'],
    })
    try {
      const month = 31 * 86_400_000
      let fired = 0
      systemClock.setTimer(month, () => fired++)
      vi.advanceTimersByTime(month - 1)
      expect(fired).toBe(0)
      vi.advanceTimersByTime(2)
      expect(fired).toBe(1)
    } finally {
      vi.useRealTimers()
    }
  })

  it('lets an answer that came during a stall of the event loop win', async () => {
    const order: string[] = []
    const { port1, port2 } = new MessageChannel()
    const answered = new Promise<void>((resolve) => {
      port2.on('message', () => {
        order.push('answer')
        resolve()
      })
    })
    const timedOut = new Promise<void>((resolve) => {
      systemClock.setTimer(5, () => {
        order.push('time-out')
        resolve()
      })
    })
    port1.postMessage('here')
    const end = performance.now() + 30
    while (performance.now() < end);
    await Promise.all([answered, timedOut])
    port1.close()
    expect(order).toEqual(['answer', 'time-out'])
  })
})

describe('withDeadline', () => {
  it('passes on what the work gives or fails with, and leaves no timer', async () => {
    expect(await withDeadline(systemClock, 1_000, Promise.resolve(1), () => new Error('late'))).toBe(1)
    await expect(
      withDeadline(systemClock, 1_000, Promise.reject(new Error('failed')), () => new Error('late')),
    ).rejects.toThrow('failed')
  })

  it('rejects when the time is over; 0 is no limit', async () => {
    const never = new Promise<never>(() => {})
    await expect(withDeadline(systemClock, 5, never, () => new Error('late'))).rejects.toThrow('late')
    expect(await withDeadline(systemClock, 0, Promise.resolve('kept'), () => new Error('late'))).toBe('kept')
  })
})

describe('onAbort', () => {
  it('tells the reason once, and nothing after it was taken off', () => {
    const heard: unknown[] = []
    const controller = new AbortController()
    const off = onAbort(controller.signal, (reason) => heard.push(['off', reason]))
    onAbort(controller.signal, (reason) => heard.push(['on', reason]))
    off()
    controller.abort('why')
    expect(heard).toEqual([['on', 'why']])
    expect(onAbort(undefined, () => {})).toBeTypeOf('function')
  })
})
