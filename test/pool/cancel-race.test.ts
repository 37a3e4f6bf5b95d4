import { describe, expect, it } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

/** One that ends at about the time at which it is cancelled. */
const raced = 'select pg_sleep(0.002)'

describe.for(servers())(
  'R8 on PostgreSQL $major: of 100 cancels that race with the end of their statements',
  (server) => {
    /** Races of four users at once, two connections among them; `run` is one race and what follows it. */
    async function race(run: (pool: Pool, i: number) => Promise<void>): Promise<void> {
      const pool = await createPool(await freshDatabase(server), { minSize: 2, maxSize: 2 })
      let next = 0
      const user = async () => {
        for (let i = next++; i < 100; i = next++) await run(pool, i)
      }
      await Promise.all([user(), user(), user(), user()])
      expect(pool.size).toBe(2)
      await pool.close()
    }

    const ended = (statement: Promise<unknown>) =>
      statement.catch((error: unknown) => {
        expect(error).toMatchObject({ code: expect.stringMatching(/^ROCKPOOL_(QUERY|POOL)_TIMEOUT$/) })
      })

    it('none is seen by the next owner of the slot', () =>
      race(async (pool, i) => {
        await pool.use((connection) => ended(connection.fetch(raced, [], { timeout: 1 + (i % 4) })))
        expect(await pool.use((connection) => connection.fetchVal('select $1::int', [i]))).toBe(i)
      }))

    it('none is seen by the next owner, where the connection is released with the statement on its way', () =>
      race(async (pool, i) => {
        const connection = await pool.acquire()
        const left = connection.fetch(raced)
        left.catch(() => {})
        if (i % 2 === 0) await connection.fetchVal('select 1')
        await connection.release()
        expect(await pool.use((other) => other.fetchVal('select $1::int', [i]))).toBe(i)
      }))

    it('none is seen by a neighbour in the same transaction', () =>
      race(async (pool, i) => {
        const work = pool.transaction(async (tx) => {
          const cancelled = ended(tx.fetch(raced, [], { timeout: 1 + (i % 4) }))
          const [, neighbour] = await Promise.allSettled([cancelled, tx.fetchVal('select $1::int', [i])])
          if (neighbour.status === 'fulfilled') expect(neighbour.value).toBe(i)
          else expect(neighbour.reason).toMatchObject({ condition: 'in_failed_sql_transaction' })
        })
        await work.catch((error) => {
          expect(error).toMatchObject({ outcome: 'failed', message: expect.stringContaining('rolled back') })
        })
      }))

    it('none is seen by another one-shot', () =>
      race(async (pool, i) => {
        const [, neighbour, later] = await Promise.all([
          ended(pool.fetch(raced, [], { timeout: 2 + (i % 4) })),
          pool.fetchVal('select $1::int', [i]),
          pool.fetchVal('select $1::int + 1', [i]),
        ])
        expect([neighbour, later]).toEqual([i, i + 1])
      }))
  },
)
