import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPool, InterfaceError, type Pool } from '../../src/index.ts'
import { freshDatabase } from '../support/servers.ts'

describe('what a call is given is checked, by name, before anything is done:', () => {
  let pool: Pool

  beforeAll(async () => {
    pool = await createPool(await freshDatabase(), { minSize: 1, maxSize: 1 })
  })

  afterAll(() => pool.close())

  it('a signal that is none, which leaves nobody in the queue', async () => {
    const held = await pool.acquire()
    for (const signal of [null, {}, 'stop'] as never[]) {
      await expect(pool.acquire({ signal })).rejects.toThrow(InterfaceError)
      await expect(pool.fetch('select 1', [], { signal })).rejects.toThrow(/signal/)
      await expect(held.fetch('select 1', [], { signal })).rejects.toThrow(/signal/)
    }
    expect(pool.waitingSize).toBe(0)
    await held.release()
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(pool.stats().leased).toBe(0)
  })

  it('options that do not exist', async () => {
    await expect(pool.fetch('select 1', [], { timout: 5 } as object)).rejects.toThrow(
      'unknown option "timout"',
    )
    await expect(pool.acquire({ time_out: 5 } as object)).rejects.toThrow('did you mean timeout?')
    await expect(pool.use(() => {}, { retries: 3 } as object)).rejects.toThrow('unknown option "retries"')
    await expect(pool.transaction(() => {}, { readonly: true } as object)).rejects.toThrow(
      'did you mean readOnly?',
    )
    await pool.use(async (connection) => {
      await expect(connection.transaction(() => {}, { role: 'nobody' } as object)).rejects.toThrow(
        'unknown option "role"',
      )
    })
  })
})

describe('a statement that got no connection', () => {
  let pool: Pool

  beforeEach(async () => {
    pool = await createPool(await freshDatabase(), { minSize: 1, maxSize: 1 })
  })

  afterEach(() => pool.terminate())

  it('was not sent, whatever kept it from one', async () => {
    const held = await pool.acquire()
    await expect(pool.fetch('select 1', [], { timeout: 20 })).rejects.toMatchObject({
      code: 'ROCKPOOL_POOL_TIMEOUT',
      outcome: 'not-sent',
    })
    await held.release()
    await pool.close()
    await expect(pool.fetch('select 1')).rejects.toMatchObject({
      code: 'ROCKPOOL_POOL_CLOSED',
      outcome: 'not-sent',
    })
  })
})

describe('hooks', () => {
  it('that leave a transaction open, or a statement running, have failed', async () => {
    const dsn = await freshDatabase()
    for (const leave of ['begin', 'select pg_sleep(60)']) {
      await expect(
        createPool(dsn, {
          minSize: 1,
          init: async (connection) => {
            const run = connection.execute(leave)
            run.catch(() => {})
            if (leave === 'begin') await run
          },
        }),
      ).rejects.toThrow('the init hook left a transaction open or a statement running')
    }
  })
})

describe('setConnectArgs', () => {
  it('keeps the DSN and the options that it is not given, from one call to the next', async () => {
    const dsn = await freshDatabase()
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const { target } = pool
    const name = () => pool.fetchVal("select current_setting('application_name')")
    pool.setConnectArgs(undefined, { serverSettings: { application_name: 'renamed' } })
    pool.expireConnections()
    expect(await name()).toBe('renamed')
    pool.setConnectArgs(undefined, { connectTimeout: '5s' })
    pool.expireConnections()
    expect(await name()).toBe('renamed')
    expect(pool.target).toBe(target)
    expect(() => pool.setConnectArgs('nonsense://')).toThrow(InterfaceError)
    expect(pool.target).toBe(target)
    await pool.close()
  })
})
