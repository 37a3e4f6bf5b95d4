import { expect, it } from 'vitest'
import { openSession } from '../../src/connection/connect.ts'
import { resolveConnectOptions } from '../../src/connection/connecting/connect-options.ts'
import type { Session } from '../../src/connection/session.ts'
import { resolveSessionOptions } from '../../src/connection/session-options.ts'
import { ConnectError, PoolClosedError } from '../../src/index.ts'
import { type ListenerHost, PoolListener } from '../../src/pool-listener.ts'
import { VirtualClock } from '../pooling/support/virtual-clock.ts'
import { freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'

/** A listener in virtual time, whose connects the test decides about. */
function listenerOf(open: ListenerHost['open'], isPermanent = false) {
  const clock = new VirtualClock()
  const warnings: unknown[] = []
  const listener = new PoolListener({
    clock,
    acquireTimeout: 30_000,
    open,
    isPermanent: () => isPermanent,
    isClosing: () => false,
    warn: (message, error) => warnings.push([message, error]),
  })
  return { clock, warnings, listener }
}

it('while the server is away, it is tried less and less often, and that is told once', async () => {
  const failure = new ConnectError('away')
  let attempts = 0
  const { clock, warnings, listener } = listenerOf(async () => {
    attempts++
    throw failure
  })
  const waiting = listener.listen('news', () => {})
  waiting.catch(() => {})
  await clock.advance(1_000)
  expect(attempts).toBeGreaterThanOrEqual(4)
  expect(attempts).toBeLessThanOrEqual(9)
  const before = attempts
  await clock.advance(10_000)
  expect(attempts - before).toBeGreaterThanOrEqual(20)
  expect(attempts - before).toBeLessThanOrEqual(41)
  expect(warnings).toEqual([['the connection of pool.listen() failed; another one is opened', failure]])
  await listener.close(0)
  await expect(waiting).rejects.toThrow(PoolClosedError)
  expect(clock.timers).toBe(0)
})

it('a caller whose time is over leaves, and with the last one the attempts end', async () => {
  let attempts = 0
  const { clock, listener } = listenerOf(async () => {
    attempts++
    throw new ConnectError('away')
  })
  const waiting = listener.listen('news', () => {}, { timeout: 500 })
  waiting.catch(() => {})
  await clock.advance(2_000)
  await expect(waiting).rejects.toMatchObject({
    code: 'ROCKPOOL_POOL_TIMEOUT',
    cause: expect.objectContaining({ message: 'away' }),
  })
  const before = attempts
  await clock.advance(10_000)
  expect(attempts).toBe(before)
  expect(clock.timers).toBe(0)
})

it('a close while the connection is being opened leaves nothing open', async () => {
  let signal: AbortSignal | undefined
  const { clock, listener } = listenerOf((_owner, given) => {
    signal = given
    return new Promise((_, reject) => given.addEventListener('abort', () => reject(given.reason)))
  })
  const waiting = listener.listen('news', () => {})
  waiting.catch(() => {})
  await until('it connects', () => signal !== undefined)
  await listener.close(0)
  await expect(waiting).rejects.toThrow(PoolClosedError)
  expect(clock.timers).toBe(0)
})

it('heartbeats come at the shortest interval asked for, and end with the last subscription', async () => {
  const target = resolveConnectOptions(await freshDatabase(), {})
  let session: Session | undefined
  const { clock, listener } = listenerOf(async (owner, signal) => {
    session = await openSession(target, resolveSessionOptions({}, clock), owner, signal)
    return session
  })
  const slow = await listener.listen('slow', () => {}, { heartbeat: '10s' })
  expect(clock.timers).toBe(1)
  const quick = await listener.listen('quick', () => {}, { heartbeat: '1s' })
  const never = await listener.listen('never', () => {}, { heartbeat: 0 })
  let set = clock.timersSet
  await clock.advance(1_000)
  await until('the beat is answered', () => session?.isIdle && clock.timersSet === set + 2)
  await quick.close()
  set = clock.timersSet
  await clock.advance(9_000)
  expect(clock.timersSet).toBe(set)
  await slow.close()
  expect(clock.timers).toBe(0)
  await never.close()
  expect(session?.isClosed).toBe(true)
  await listener.close(0)
  expect(clock.timers).toBe(0)
})
