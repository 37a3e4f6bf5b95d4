import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, createPool } from '../../src/index.ts'
import { type Bouncer, findBouncer, startBouncer } from '../support/bouncer.ts'
import { freshDatabase, servers } from '../support/servers.ts'

const program = await findBouncer()

if (program === undefined) {
  it('R20: behind PgBouncer', ({ skip }) => skip('absent: there is no program pgbouncer'))
} else {
  describe.for(servers())(
    'R20: with statementCacheSize 0, behind PgBouncer and PostgreSQL $major',
    (server) => {
      let bouncer: Bouncer
      let dsn: string

      beforeAll(async () => {
        bouncer = await startBouncer(program, server)
        const { pathname } = new URL(await freshDatabase(server))
        dsn = `postgres://postgres@127.0.0.1:${bouncer.port}${pathname}`
        const connection = await connect(dsn, { statementCacheSize: 0, ssl: false })
        await connection.execute('create table tasks (id int primary key, title text not null)')
        await connection.close()
      })

      afterAll(() => bouncer.stop())

      /** A connection, once more than one server is there for its transactions. */
      async function connected() {
        const options = { statementCacheSize: 0, ssl: false } as const
        const all = await Promise.all(Array.from({ length: 3 }, () => connect(dsn, options)))
        await Promise.all(all.map((one) => one.fetch('select pg_sleep(0.1)')))
        const [first, ...others] = all
        await Promise.all(others.map((one) => one.close()))
        return first!
      }

      it('each run of a statement may be on another server', async () => {
        const connection = await connected()
        const pids = new Set<unknown>()
        for (let i = 0; i < 20; i++) {
          const row = await connection.fetchRow('select $1::int as i, pg_backend_pid() as pid', [i])
          expect(row).toMatchObject({ i })
          pids.add(row?.pid)
        }
        expect(pids.size).toBeGreaterThan(1)
        await connection.close()
      })

      it('many at once, failing ones among them, are answered each with its own', async () => {
        const connection = await connected()
        const answers = await Promise.allSettled(
          Array.from({ length: 60 }, (_, i) => connection.fetchVal(`select 100 / $1::int + ${i}`, [i % 3])),
        )
        for (const [i, answer] of answers.entries()) {
          if (i % 3 === 0) expect(answer).toMatchObject({ reason: { condition: 'division_by_zero' } })
          else expect(answer).toEqual({ status: 'fulfilled', value: Math.floor(100 / (i % 3)) + i })
        }
        await connection.close()
      })

      it('prepared statements, cursors, transactions and executeMany work', async () => {
        const connection = await connected()
        const insert = await connection.prepare('insert into tasks values ($1, $2)')
        await insert.executeMany(Array.from({ length: 50 }, (_, i) => [i, `task ${i}`]))
        await connection.executeMany('insert into tasks values ($1, $2)', [
          [50, 'x'],
          [51, 'y'],
        ])
        expect(await insert.execute([52, 'z'])).toBe('INSERT 0 1')
        const seen = await connection.transaction(async (tx) => {
          const ids: number[] = []
          const cursor = tx.cursor<{ id: number }>('select id from tasks order by id', [], { prefetch: 7 })
          for await (const { id } of cursor) ids.push(id)
          return ids
        })
        expect(seen).toEqual(Array.from({ length: 53 }, (_, i) => i))
        await connection.close()
      })

      it('a pool serves one-shots and leases', async () => {
        const pool = await createPool(dsn, { statementCacheSize: 0, ssl: false, minSize: 4, maxSize: 4 })
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, i) =>
            i % 2 === 0
              ? pool.fetchVal('select $1::int', [i])
              : pool.use((lent) => lent.fetchVal('select $1::int', [i])),
          ),
        )
        expect(answers).toEqual(Array.from({ length: 100 }, (_, i) => i))
        await pool.close()
      })
    },
  )
}
