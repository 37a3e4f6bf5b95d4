import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPool, InterfaceError, Pool } from '../../src/index.ts'
import { anyServer, freshDatabase } from '../support/servers.ts'

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

  it('what is no option, no work or no channel, before a connection is opened for it', async () => {
    const fresh = new Pool(await freshDatabase())
    const opened: unknown[] = []
    fresh.on('open', (event) => opened.push(event))
    const none = null as never
    const refused: [call: () => unknown, message: string][] = [
      [() => fresh.resize({ maxsize: 7 } as object), 'did you mean maxSize?'],
      [() => fresh.resize(none), 'the options must be an object'],
      [() => fresh.close({ timout: 1 } as object), 'unknown option "timout"'],
      [() => fresh.use(none), 'Pool.use(): the work must be a function'],
      [() => fresh.transaction(none), 'Pool.transaction(): the work must be a function'],
      [() => fresh.transaction(() => {}, none), 'the options must be an object'],
      [() => fresh.transaction(() => {}, { retry: 1 } as object), 'unknown option "retry"'],
      [() => fresh.transaction(() => {}, { isolation: 'snapshot' } as object), 'isolation: "snapshot"'],
      [() => fresh.listen('', () => {}), "a channel's name must be a string of 1 to 63 bytes"],
    ]
    for (const [call, message] of refused) {
      const failure = (async () => call())()
      await expect(failure).rejects.toThrow(InterfaceError)
      await expect(failure).rejects.toThrow(message)
    }
    expect(opened).toEqual([])
    expect(fresh.isClosing).toBe(false)
    await fresh.close()
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

  it('gives a DSN the place of older options about the same, and keeps the others', async () => {
    const [old, other] = [await freshDatabase(), new URL(await freshDatabase())]
    const { hostname: host, port, pathname } = new URL(old)
    const pool = await createPool(undefined, {
      host,
      port: Number(port),
      user: 'postgres',
      password: 'older',
      database: pathname.slice(1),
      ssl: 'disable',
      targetSessionAttrs: 'primary',
      serverSettings: { application_name: 'older', work_mem: '5MB' },
      maxSize: 1,
    })
    const see = `select current_database() || current_setting('application_name') || current_setting('work_mem')`
    other.searchParams.set('application_name', 'newer')
    pool.setConnectArgs(other.href)
    pool.expireConnections()
    expect(await pool.fetchVal(see)).toBe(`${other.pathname.slice(1)}newer5MB`)
    pool.setConnectArgs(other.href, { database: pathname.slice(1) })
    pool.expireConnections()
    expect(await pool.fetchVal(see)).toBe(`${pathname.slice(1)}newer5MB`)
    await pool.close()
  })

  it('gives a rotated password of a DSN the place of the older option', async () => {
    const { scram } = anyServer().roles
    const withPassword = new URL(scram.dsn)
    const without = new URL(scram.dsn)
    without.password = ''
    const pool = new Pool(without.href, { password: 'outdated', maxSize: 1 })
    pool.setConnectArgs(withPassword.href)
    expect(await pool.fetchVal('select 1')).toBe(1)
    await pool.close()
  })
})
