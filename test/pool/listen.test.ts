import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ConnectError,
  connect,
  createPool,
  type Pool,
  PoolClosedError,
  PoolTimeoutError,
} from '../../src/index.ts'
import { adminQuery, backends, freshDatabase, ownServer, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())('pool.listen on PostgreSQL $major', (server) => {
  let dsn: string
  let pool: Pool
  let warnings: string[]

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    pool = await createPool(dsn, {
      minSize: 1,
      maxSize: 1,
      serverSettings: { application_name: 'listening' },
    })
    warnings = []
    pool.on('warning', ({ message }) => warnings.push(message))
  })

  afterEach(() => pool.terminate())

  const notify = (channel: string, payload = '') =>
    adminQuery(dsn, 'select pg_notify($1, $2)', [channel, payload])

  /** The backends that listen, which the pool does not count. */
  const listening = async () => (await backends(dsn)).filter(({ query }) => /^(un)?listen/i.test(query))

  it('notifications come on one connection of its own, which maxSize does not count', async () => {
    const heard: unknown[] = []
    const held = await pool.acquire()
    await pool.listen('news', (payload, { pid, channel }) => heard.push([payload, channel, typeof pid]))
    await pool.listen('other "channel"', (payload) => heard.push(payload))
    await notify('news', 'hello')
    await notify('other "channel"', 'there')
    await until('both are heard', () => heard.length === 2)
    expect(heard).toEqual([['hello', 'news', 'number'], 'there'])
    expect((await backends(dsn)).length).toBe(2)
    expect(pool.size).toBe(1)
    await held.release()
  })

  it('a subscription is closed alone; the last one takes the connection along, and it can begin again', async () => {
    const heard: string[] = []
    const first = await pool.listen('news', () => heard.push('first'))
    const second = await pool.listen('news', () => heard.push('second'))
    const third = await pool.listen('more', () => heard.push('third'))
    await first.close()
    await first.close()
    await notify('news')
    await until('the second one hears', () => heard.length === 1)
    await second.close()
    await notify('news')
    await notify('more')
    await until('the third one hears', () => heard.length === 2)
    expect(heard).toEqual(['second', 'third'])
    await third[Symbol.asyncDispose]()
    await until('no backend listens', async () => (await listening()).length === 0)
    await pool.listen('news', () => heard.push('again'))
    await notify('news')
    await until('it is heard again', () => heard.at(-1) === 'again')
  })

  it('many that begin at once share the connection', async () => {
    let heard = 0
    const names = Array.from({ length: 50 }, (_, i) => `channel_${i}`)
    await Promise.all(names.map((name) => pool.listen(name, () => heard++)))
    for (const name of names) await notify(name)
    await until('all are heard', () => heard === 50)
    expect((await listening()).length).toBe(1)
  })

  it('a lost connection is replaced, all channels are listened to again, and that is told', async () => {
    const heard: string[] = []
    const told: string[] = []
    await pool.listen('a', (payload) => heard.push(payload), { onReconnect: () => told.push('a') })
    await pool.listen('b', (payload) => heard.push(payload), {
      onReconnect: () => {
        told.push('b')
        throw new Error('oops')
      },
    })
    for (let round = 1; round <= 2; round++) {
      const [{ pid } = { pid: 0 }] = await listening()
      await adminQuery(dsn, 'select pg_terminate_backend($1)', [pid])
      await until('both are told', () => told.length === 2 * round)
    }
    expect(told).toEqual(['a', 'b', 'a', 'b'])
    await notify('a', 'x')
    await notify('b', 'y')
    await until('both are heard', () => heard.length === 2)
    expect(warnings).toContain('the connection of pool.listen() failed; another one is opened')
    expect(warnings).toContain('an onReconnect of pool.listen() failed')
  })

  it('R12: it connects by the arguments that hold now', async () => {
    let told = 0
    await pool.listen('news', () => {}, { onReconnect: () => told++ })
    const [{ pid } = { pid: 0 }] = await listening()
    pool.setConnectArgs(dsn, { serverSettings: { application_name: 'changed' } })
    await adminQuery(dsn, 'select pg_terminate_backend($1)', [pid])
    await until('it is told', () => told === 1)
    expect((await listening()).map(({ applicationName }) => applicationName)).toEqual(['changed'])
  })

  it('R12: expireConnections replaces its connection, and that is told, as no failure', async () => {
    let told = 0
    await pool.listen('news', () => {}, { onReconnect: () => told++ })
    pool.setConnectArgs(dsn, { serverSettings: { application_name: 'changed' } })
    pool.expireConnections()
    await until('it is told', () => told === 1)
    await until('the old one is gone', async () => (await listening()).length === 1)
    expect((await listening()).map(({ applicationName }) => applicationName)).toEqual(['changed'])
    expect(warnings).toEqual([])
  })

  it('R12: a connection that is being opened at that time is replaced as well', async () => {
    const opened: string[] = []
    const changing = await createPool(dsn, {
      minSize: 0,
      maxSize: 1,
      connect: async (given, options) => {
        const connection = await connect(given, options)
        opened.push(options.serverSettings?.application_name ?? '')
        if (opened.length === 1) {
          changing.setConnectArgs(dsn, { serverSettings: { application_name: 'changed' } })
          changing.expireConnections()
        }
        return connection
      },
    })
    await changing.listen('news', () => {})
    expect(opened).toEqual(['', 'changed'])
    expect((await listening()).map(({ applicationName }) => applicationName)).toEqual(['changed'])
    await changing.close()
  })

  it('a failing listener hurts nobody and becomes a warning', async () => {
    let heard = 0
    await pool.listen('news', () => {
      throw new Error('oops')
    })
    await pool.listen('news', () => heard++)
    await notify('news')
    await until('the other one hears', () => heard === 1)
    expect(warnings).toEqual(['a listener of pool.listen() failed'])
  })

  it('what cannot be listened to is refused, and the others go on', async () => {
    let heard = 0
    await pool.listen('news', () => heard++)
    await expect(pool.listen('x'.repeat(64), () => {})).rejects.toThrow(/1 to 63 bytes/)
    await expect(pool.listen('news', 'no function' as never)).rejects.toThrow(/must be a function/)
    await expect(pool.listen('news', () => {}, { heartbeat: 'often' })).rejects.toThrow(/heartbeat: "often"/)
    const signal = AbortSignal.abort(new Error('never mind'))
    await expect(pool.listen('news', () => {}, { signal })).rejects.toThrow('never mind')
    await notify('news')
    await until('it is heard', () => heard === 1)
  })

  it('R13: close and terminate end it, and refuse it afterwards', async () => {
    await pool.listen('news', () => {})
    await pool.close()
    expect(await backends(dsn)).toEqual([])
    await expect(pool.listen('news', () => {})).rejects.toThrow(PoolClosedError)
    const other = await createPool(dsn, { minSize: 0, maxSize: 1 })
    await other.listen('news', () => {})
    const waiting = other.listen('more', () => {})
    waiting.catch(() => {})
    await other.terminate()
    await expect(waiting).rejects.toThrow(PoolClosedError)
    await until('no backend is left', async () => (await backends(dsn)).length === 0)
  })

  it('over TLS it is the same', async () => {
    const encrypted = await createPool(dsn, { minSize: 0, maxSize: 1, ssl: 'require' })
    let heard = 0
    await encrypted.listen('news', () => heard++)
    await notify('news')
    await until('it is heard', () => heard === 1)
    await encrypted.close()
  })
})

describe('pool.listen', () => {
  it('rejects at once where no connection can be opened for good', async () => {
    const dsn = await freshDatabase()
    const { pathname } = new URL(dsn)
    const pool = await createPool(dsn.replace(pathname, '/nowhere'), { minSize: 0, maxSize: 1 })
    await expect(pool.listen('news', () => {})).rejects.toThrow(ConnectError)
    await pool.close()
  })

  it('R13: terminate, and the time-out of close, do not wait for a server that does not answer', async () => {
    const dsn = await freshDatabase()
    const ends = [
      (pool: Pool) => pool.terminate(),
      (pool: Pool) =>
        expect(pool.close({ timeout: '200ms' })).rejects.toThrow(
          /could not close within 200 ms.*pool\.listen/,
        ),
      async (pool: Pool) => {
        const closing = pool.close()
        await pool.terminate()
        await closing
      },
    ]
    for (const end of ends) {
      const pool = await createPool(dsn, { minSize: 0, maxSize: 1, closeTimeout: 0 })
      await pool.listen('news', () => {})
      const [{ pid } = { pid: 0 }] = await backends(dsn)
      process.kill(pid, 'SIGSTOP')
      try {
        await end(pool)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await until('no backend is left', async () => (await backends(dsn)).length === 0)
    }
  })

  it('survives a server that is away, and a heartbeat notices one that is frozen', async () => {
    const { server, stop } = await ownServer()
    const pool = await createPool(server.dsn, { minSize: 0, maxSize: 2, cancelTimeout: '200ms' })
    try {
      let told = 0
      let heard = 0
      const options = { heartbeat: '1s', onReconnect: () => told++ }
      await pool.listen('news', () => heard++, options)
      const pid = await adminQuery<{ pid: number }>(
        server.dsn,
        "select pid from pg_stat_activity where query ilike 'listen%'",
      )
      process.kill(pid[0]!.pid, 'SIGSTOP')
      await until('it is listened to again', () => told === 1, 10_000)
      process.kill(pid[0]!.pid, 'SIGCONT')
      await adminQuery(server.dsn, 'notify news')
      await until('it is heard', () => heard === 1)
    } finally {
      await pool.terminate()
      await stop()
    }
    const away = await createPool(server.dsn, { minSize: 0, maxSize: 1 })
    const failure = away.listen('news', () => {}, { timeout: '300ms' })
    await expect(failure).rejects.toThrow(PoolTimeoutError)
    await expect(failure).rejects.toMatchObject({ cause: expect.any(ConnectError) })
    await away.close()
  })
})
