import { describe, expect, onTestFinished, test } from 'vitest'
import {
  ConnectError,
  connect,
  createPool,
  Pool,
  PoolClosedError,
  PoolTimeoutError,
} from '../../src/index.ts'
import {
  PermanentError,
  ResourcePool,
  resolvePoolSettings,
  ScriptedConnector,
  Step,
  settled,
  VirtualClock,
} from '../../src/testing/index.ts'
import { anyServer } from '../support/servers.ts'

describe('Step', () => {
  test('passes until it is told otherwise, and counts', async () => {
    const step = new Step()
    await step.run()
    step.fail(new Error('no'))
    await expect(step.run()).rejects.toThrow('no')
    step.pass()
    await step.run()
    expect([step.calls, step.held]).toEqual([3, 0])
  })

  test('held calls stay so whatever comes next, and are settled in any order', async () => {
    const step = new Step()
    step.hold()
    const [one, two, three] = [step.run(), step.run(), step.run()]
    step.pass()
    await step.run()
    expect(step.held).toBe(3)
    step.reject(new Error('the second'), 1)
    step.succeed(1)
    step.succeed()
    await expect(two).rejects.toThrow('the second')
    await Promise.all([one, three])
    expect(step.held).toBe(0)
  })

  test('an abort fails a held call, and it is not held any more', async () => {
    const step = new Step()
    step.hold()
    const abort = new AbortController()
    const held = step.run(abort.signal)
    const reason = new Error('given up')
    abort.abort(reason)
    await expect(held).rejects.toBe(reason)
    await expect(step.run(abort.signal)).rejects.toBe(reason)
    expect(step.held).toBe(0)
  })

  test('called tells when there were so many calls', async () => {
    const step = new Step()
    const order: string[] = []
    const twice = step.called(2).then(() => order.push('twice'))
    await step.run()
    order.push('once')
    await step.run()
    await twice
    await step.called(1)
    expect(order).toEqual(['once', 'twice'])
  })

  test('before does the work after the step, with its arguments, and not where the step fails', async () => {
    const step = new Step()
    const work = step.before(async (a: number, b: number) => a + b)
    expect(await work(1, 2)).toBe(3)
    step.hold()
    const held = work(3, 4)
    step.succeed()
    expect(await held).toBe(7)
    step.fail(new Error('no'))
    await expect(work(5, 6)).rejects.toThrow('no')
  })

  test('before ends a hold by the signal of an argument', async () => {
    const step = new Step()
    step.hold()
    const abort = new AbortController()
    const held = step.before((_options: { signal: AbortSignal }) => 'done')({ signal: abort.signal })
    abort.abort(new Error('given up'))
    await expect(held).rejects.toThrow('given up')
  })
})

describe('a Step before the connect hook of a pool', () => {
  function openLater(connects: Step): Pool {
    const pool = new Pool(anyServer().dsn, { minSize: 0, connect: connects.before(connect) })
    onTestFinished(() => pool.terminate())
    return pool
  }

  test('the database is away, and comes back', async () => {
    const connects = new Step()
    const pool = openLater(connects)
    const away = new ConnectError('the database is away')
    connects.fail(away)
    const waited = pool.acquire({ timeout: 200 })
    await expect(waited).rejects.toThrow(PoolTimeoutError)
    await expect(waited).rejects.toHaveProperty('cause', away)
    connects.pass()
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  test('a connect that fails for good rejects at once', async () => {
    const connects = new Step()
    connects.fail(new ConnectError('wrong password', { permanent: true }))
    await expect(openLater(connects).fetchVal('select 1')).rejects.toThrow('wrong password')
  })

  test('a connect that comes late joins the pool', async () => {
    const connects = new Step()
    connects.hold()
    const pool = openLater(connects)
    await expect(pool.acquire({ timeout: 50 })).rejects.toThrow(PoolTimeoutError)
    expect(connects.held).toBe(1)
    connects.succeed()
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(connects.calls).toBe(1)
  })

  test('terminate lets go of one that is held', async () => {
    const connects = new Step()
    connects.hold()
    const pool = openLater(connects)
    const waits = pool.acquire()
    waits.catch(() => {})
    await connects.called(1)
    await pool.terminate()
    expect(connects.held).toBe(0)
    await expect(waits).rejects.toThrow(PoolClosedError)
  })

  test('other hooks are held alike', async () => {
    const setups = new Step()
    const { dsn } = anyServer()
    await using pool = await createPool(dsn, { minSize: 1, maxSize: 1, setup: setups.before(() => {}) })
    setups.hold()
    const acquired = pool.acquire()
    await setups.called(1)
    expect(pool.stats().preparing).toBe(1)
    setups.succeed()
    await (await acquired).release()
  })
})

describe('ScriptedConnector', () => {
  function open(connector: ScriptedConnector) {
    const clock = new VirtualClock()
    const settings = resolvePoolSettings({ minSize: 0, maxSize: 2, acquireTimeout: '5s' })
    return { clock, pool: new ResourcePool(connector, settings, { clock, random: () => 0.5 }) }
  }

  test('a pool runs on it in virtual time', async () => {
    const connector = new ScriptedConnector()
    const { pool, clock } = open(connector)
    connector.connects.hold()
    const waited = pool.acquire().catch((error: Error) => error)
    await clock.advance(5_000)
    expect(await waited).toBeInstanceOf(PoolTimeoutError)
    connector.connects.succeed()
    await settled()
    expect(connector.present.size).toBe(1)
    const lease = await pool.acquire()
    lease.connection.die()
    lease.release()
    await pool.close()
    expect(connector.log).toEqual(['connect 1', 'terminate 1'])
    expect([connector.present.size, connector.connecting, clock.timers]).toEqual([0, 0, 0])
  })

  test('only a PermanentError is not tried again', async () => {
    const connector = new ScriptedConnector()
    const { pool, clock } = open(connector)
    connector.connects.fail(new Error('away'))
    const waited = pool.acquire()
    await clock.advance(1_000)
    expect(connector.connects.calls).toBeGreaterThan(1)
    connector.connects.fail(new PermanentError('never'))
    const refused = expect(waited).rejects.toThrow('never')
    await clock.advance(4_000)
    await refused
    await pool.terminate()
  })

  test('with its options it is asked for more, and tells', async () => {
    const connector = new ScriptedConnector({ setup: true, resetsTakeTime: true, toldOfRest: true })
    const { pool } = open(connector)
    for (const _ of [1, 2]) {
      const lease = await pool.acquire()
      lease.release()
      await settled()
    }
    expect(connector.log).toEqual([
      'connect 1',
      'prepare 1',
      'reset 1',
      'rest 1',
      'rise 1',
      'prepare 1',
      'reset 1',
      'rest 1',
    ])
    await pool.terminate()
  })
})
