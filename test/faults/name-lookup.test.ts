import dns from 'node:dns'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { endOf } from './support/end-of.ts'

type Answer = (error: NodeJS.ErrnoException | null, addresses?: { address: string; family: number }[]) => void

describe.for(servers())('the name of the server, PostgreSQL $major,', (server) => {
  let dsn: string
  let pool: Pool | undefined
  /** What the system's resolver does with the name. */
  let resolver: (answer: Answer) => void

  const isAt = (address: string) => (answer: Answer) =>
    answer(null, [{ address, family: address.includes(':') ? 6 : 4 }])
  const fails = (code: string) => (answer: Answer) =>
    answer(Object.assign(new Error(`getaddrinfo ${code} db.test`), { code }))
  const isSilent = () => {}

  const open = async (options: PoolOptions = {}) => {
    pool = await createPool(dsn, { minSize: 1, maxSize: 2, ssl: false, connectTimeout: '1500ms', ...options })
    return pool
  }
  const address = (of: Pool) => of.fetchVal('select host(inet_server_addr())')

  beforeEach(async () => {
    const url = new URL(await freshDatabase(server))
    url.hostname = 'db.test'
    dsn = url.href
    resolver = isAt('127.0.0.1')
    vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, _options: object, answer: Answer) =>
      process.nextTick(() => resolver(answer))) as never)
  })

  afterEach(async () => {
    await pool?.terminate()
    vi.restoreAllMocks()
  })

  it.for(['ENOTFOUND', 'EAI_AGAIN'])(
    'that is not found (%s) is an error at once, which names it',
    async (code) => {
      resolver = fails(code)
      const failure = createPool(dsn, { connectTimeout: 0 })
      await expect(failure).rejects.toMatchObject({ code: 'ROCKPOOL_CONNECT', permanent: false })
      await expect(failure).rejects.toThrow(/cannot connect to db\.test:\d+: .*db\.test/)
    },
  )

  it('whose lookup never ends is an error at connectTimeout', async () => {
    resolver = isSilent
    const failure = open({ connectTimeout: 300 })
    await expect(failure).rejects.toThrow(/db\.test:\d+: not ready within 300 ms \(connectTimeout\)/)
  })

  it('is asked for anew at each connect: a server that has moved is found', async () => {
    const moving = await open()
    expect(await address(moving)).toBe('127.0.0.1')
    resolver = isAt('::1')
    moving.expireConnections()
    await until('it has been replaced', () => moving.idleSize === 1)
    expect(await address(moving)).toBe('::1')
  })

  it.for<[string, (answer: Answer) => void]>([
    ['fails', fails('EAI_AGAIN')],
    ['never ends', isSilent],
  ])('whose lookup %s for a while hurts no open connection, and nobody once it is over', async ([, away]) => {
    const hurt = await open()
    const held = await hurt.acquire()
    resolver = away
    expect(await held.fetchVal('select 1')).toBe(1)
    expect(await endOf(hurt.acquire({ timeout: 500 }))).toBe('POOL_TIMEOUT')
    await held.terminate()
    await held.release()
    resolver = isAt('127.0.0.1')
    expect(await hurt.fetchVal('select 1')).toBe(1)
    await until('the floor is back', () => hurt.idleSize === 1)
  })

  it('that leads nowhere, and then to the server, is followed', async () => {
    const both = (answer: Answer) =>
      answer(null, [
        { address: '127.0.0.99', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    resolver = both
    expect(await address(await open())).toBe('127.0.0.1')
  })
})
