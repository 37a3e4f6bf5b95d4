import { describe, it } from 'vitest'
import { type Connection, connect, createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { deferred } from '../../src/pooling/deferred.ts'
import { freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { endOf } from './support/end-of.ts'
import { expectSlots } from './support/invariants.ts'

/** Long enough for a connect on a busy machine. */
const hookTimeout = 1_500

type Hook = 'connect' | 'init' | 'setup' | 'reset'

/** What a hook does wrong, and how the caller's statement ends by it; a reset's failure is nobody's. */
interface Misbehaviour {
  what: string
  /** `tooLate` resolves after the caller was told. */
  misbehave(pool: Pool, tooLate: Promise<void>): Promise<unknown> | unknown
  ends: Record<Exclude<Hook, 'reset'>, string>
}

const overdue = { connect: 'INTERFACE not-sent', init: 'INTERFACE not-sent', setup: 'POOL_TIMEOUT not-sent' }

const misbehaviours: Misbehaviour[] = [
  {
    what: 'throws',
    misbehave: () => {
      throw new Error('thrown by the hook')
    },
    ends: { connect: 'thrown by the hook', init: 'thrown by the hook', setup: 'thrown by the hook' },
  },
  { what: 'never ends', misbehave: () => new Promise(() => {}), ends: overdue },
  { what: 'ends too late', misbehave: (_pool, tooLate) => tooLate, ends: overdue },
  {
    what: 'fails too late',
    misbehave: async (_pool, tooLate) => {
      await tooLate
      throw new Error('thrown too late')
    },
    ends: overdue,
  },
  {
    what: 'waits for the pool itself, whose connections are all taken',
    misbehave: (pool) => pool.fetchVal('select 1'),
    ends: overdue,
  },
]

const cells = misbehaviours.flatMap((misbehaviour) =>
  (['connect', 'init', 'setup', 'reset'] as const).map((hook) => ({ hook, ...misbehaviour })),
)

describe('R11: a hook', () => {
  it.concurrent.for(cells)(
    '$hook that $what hurts its caller alone, and the pool is at its full capacity',
    async (cell, test) => {
      const { hook, misbehave } = cell
      const { expect, onTestFinished } = test
      const tooLate = deferred<void>()
      let isWrong = false
      const wrong = async () => {
        if (!isWrong) return
        isWrong = false
        await misbehave(pool, tooLate.promise)
      }
      const hooks: PoolOptions = {
        connect: async (dsn, options) => {
          await (hook === 'connect' ? wrong() : undefined)
          return connect(dsn, options)
        },
        ...(hook !== 'connect' && { [hook]: (_: Connection) => wrong() }),
      }
      const dsn = await freshDatabase()
      const pool: Pool = await createPool(dsn, { minSize: 0, maxSize: 2, hookTimeout, ...hooks })
      onTestFinished(() => pool.terminate())

      const held = await pool.acquire()
      if (hook === 'setup') await pool.fetchVal('select 1')
      isWrong = true
      const end = await endOf(pool.fetchVal('select 1'))
      expect(end).toBe(hook === 'reset' ? 'done' : cell.ends[hook])
      await until('the hook was called', () => !isWrong)
      await held.release()
      expectSlots(pool)

      const all = await Promise.all([pool.acquire(), pool.acquire()])
      for (const connection of all) {
        expect(await connection.fetchVal('select 1')).toBe(1)
        await connection.release()
      }
      await until('nothing of the hook is left', () => {
        const { idle, closing } = pool.stats()
        return idle === 2 && closing === 0
      })
      await pool.close()
    },
  )
})
