import { randomInt } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, ConnectionLostError, connect, createPool, type Pool } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'
import { type Kind, leave, probe, Random, randomDeed, randomLeaving, world } from './support/tenants.ts'

const switches = 1_000
const workers = 4

type State = Record<Kind | 'pid', unknown>

describe.for(servers())('R7: 1,000 random switches between tenants on PostgreSQL $major', (server) => {
  let dsn: string
  let admin: Connection
  let pool: Pool
  let clean: Omit<State, 'pid'>

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    await adminQuery(dsn, world)
    admin = await connect(dsn)
    const { pid: _, ...state } = (await admin.fetchRow<State>(probe))!
    clean = state
  })

  afterEach(async () => {
    await pool.terminate()
    await admin.close()
  })

  const kill = (pid: number) => admin.execute(`select pg_terminate_backend(${pid})`)

  /** What of another's state there is to see. */
  const traces = (state: State): Kind[] =>
    (Object.keys(clean) as Kind[]).filter((kind) => state[kind] !== clean[kind])

  /** The first statement of the next owner; a killed predecessor's connection may only be found dead by it. */
  const look = async (connection: Connection, firstFails: boolean): Promise<Kind[]> => {
    if (firstFails) {
      const answer = await connection.fetchVal('select lastval()').catch((error: unknown) => error)
      if (answer instanceof ConnectionLostError) throw answer
      expect(answer, 'a sequence of the owner before').toMatchObject({ sqlState: '55000' })
    }
    return traces((await connection.fetchRow<State>(probe))!)
  }

  /** One tenant after the other; `excepted`: by server process, what the rule of the mode leaves to the next. */
  let looks = 0
  const tenants = async (random: Random, careful: boolean, excepted: Map<number, Set<Kind>>) => {
    for (let i = 0; i < switches / workers; i++) {
      const connection = await pool.acquire()
      try {
        const seen = await look(connection, random.chance(20))
        // Another may have taken the place of one that was killed.
        const pid = connection.processId
        const mayBeSeen = excepted.get(pid) ?? new Set()
        expect(seen.filter((kind) => !mayBeSeen.has(kind))).toEqual([])
        excepted.set(pid, new Set(seen))
        looks++
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error
      }
      for (let deeds = random.below(4); deeds > 0; deeds--) {
        const deed = randomDeed(random, careful)
        if (deed.hidden && careful) excepted.get(connection.processId)?.add(deed.kind)
        await connection.execute(deed.sql).catch(() => {})
      }
      await leave(connection, randomLeaving(random), kill)
    }
  }

  const run = async (reset: 'always' | 'auto') => {
    const seed = randomInt(2 ** 31)
    pool = await createPool(dsn, { minSize: 2, maxSize: workers - 1, reset, checkIdleAfter: 'always' })
    const excepted = new Map<number, Set<Kind>>()
    looks = 0
    const all = Array.from({ length: workers }, (_, worker) =>
      tenants(new Random(seed + worker), reset === 'auto', excepted),
    )
    await Promise.all(all).catch((error: unknown) => {
      throw new Error(`with seed ${seed}`, { cause: error })
    })
    expect(pool.stats().leased).toBe(0)
    expect(looks).toBeGreaterThan(0.9 * switches)
  }

  it("'always': nobody sees anything of those before", () => run('always'), 60_000)

  it(
    "'auto': nobody sees anything but what views and triggers did, as docs/reset.md says",
    () => run('auto'),
    60_000,
  )
})
