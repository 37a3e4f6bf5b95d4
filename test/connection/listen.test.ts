import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, createPool, type NotificationSource } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())('listeners of a connection on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection
  let heard: [payload: string, source: NotificationSource][]

  const hear = (payload: string, source: NotificationSource) => {
    heard.push([payload, source])
  }
  const payloads = () => heard.map(([payload]) => payload)
  const notify = (channel: string, payload: string) =>
    adminQuery(dsn, 'select pg_notify($1, $2)', [channel, payload])
  const channels = () => connection.fetch('select pg_listening_channels() as name')

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
    heard = []
  })

  afterEach(() => connection.terminate())

  it('a listener gets the payload, and who sent it on which channel', async () => {
    await connection.addListener('news', hear)
    await connection.execute("notify news, 'hello'; notify news; notify other, 'not heard'")
    await until('both are heard', () => heard.length === 2)
    const source = { pid: connection.processId, channel: 'news' }
    expect(heard).toEqual([
      ['hello', source],
      ['', source],
    ])
  })

  it('notifications of others come while nothing else goes on', async () => {
    await connection.addListener('news', hear)
    await notify('news', 'from outside')
    await until('it is heard', () => heard.length === 1)
    expect(heard[0]![1].pid).not.toBe(connection.processId)
  })

  it('a channel may have any name, which is taken as it is', async () => {
    const name = 'A "strange"; name é'
    await connection.addListener(name, hear)
    await notify(name, 'x')
    await until('it is heard', () => heard.length === 1)
    expect(await channels()).toEqual([{ name }])
    await connection.removeListener(name, hear)
    expect(await channels()).toEqual([])
  })

  it('several listeners share a channel; the last one to go ends it on the server', async () => {
    const second: string[] = []
    const also = (payload: string) => second.push(payload)
    await Promise.all([connection.addListener('news', hear), connection.addListener('news', also)])
    await connection.addListener('news', hear)
    await notify('news', 'one')
    await until('both heard it', () => heard.length === 1 && second.length === 1)
    await connection.removeListener('news', hear)
    await connection.removeListener('news', hear)
    await notify('news', 'two')
    await until('the other one still hears', () => second.length === 2)
    expect(payloads()).toEqual(['one'])
    await connection.removeListener('news', also)
    expect(await channels()).toEqual([])
  })

  it('inside a transaction it begins at the COMMIT; rolled back, it can be added again', async () => {
    await expect(
      connection.transaction(async () => {
        await connection.addListener('news', hear)
        throw new Error('rolled back')
      }),
    ).rejects.toThrow('rolled back')
    await connection.addListener('news', hear)
    await notify('news', 'x')
    await until('it is heard', () => heard.length === 1)
  })

  it("after an UNLISTEN or DISCARD ALL of the user's own, a listener that is added hears again", async () => {
    const second: string[] = []
    await connection.addListener('news', hear)
    for (const [i, sql] of ['unlisten *', 'discard all'].entries()) {
      await connection.execute(sql)
      await connection.addListener('news', (payload) => second.push(payload))
      await notify('news', sql)
      await until('both hear it', () => second.includes(sql) && heard.length === i + 1)
    }
  })

  it('a failing listener hurts nobody, and is told as a warning', async () => {
    const warning = once(process, 'warning')
    await connection.addListener('news', () => {
      throw new Error('the listener failed')
    })
    await connection.addListener('news', hear)
    await connection.execute('notify news')
    await until('the next one hears', () => heard.length === 1)
    expect((await warning)[0]).toMatchObject({ message: 'the listener failed' })
    const later = once(process, 'warning')
    await connection.addListener('late', async () => {
      throw new Error('the listener rejected')
    })
    await connection.execute('notify late')
    expect((await later)[0]).toMatchObject({ message: 'the listener rejected' })
    expect(await connection.fetchVal('select 1')).toBe(1)
  })

  it('what cannot be is refused', async () => {
    const refused = (call: Promise<unknown>, message: RegExp) =>
      expect(call).rejects.toMatchObject({
        code: 'ROCKPOOL_INTERFACE',
        message: expect.stringMatching(message),
      })
    await refused(connection.addListener('', hear), /channel's name must be a string of 1 to 63 bytes/)
    await refused(connection.addListener('é'.repeat(32), hear), /1 to 63 bytes/)
    await refused(connection.addListener('a\0b', hear), /zero character/)
    await refused(connection.addListener('news', 7 as never), /listener must be a function/)
    await connection.close()
    await refused(
      connection.addListener('news', hear),
      /cannot call Connection.addListener\(\): connection is closed/,
    )
    expect(() => connection.addLogListener(() => {})).toThrow(/Connection.addLogListener/)
  })

  it('a refusal of the server leaves no listener behind', async () => {
    await connection.execute('begin')
    await connection.execute('select 1/0').catch(() => {})
    await expect(connection.addListener('news', hear)).rejects.toMatchObject({ sqlState: '25P02' })
    await connection.execute('rollback')
    await connection.execute('listen news; notify news')
    await connection.fetchVal('select 1')
    expect(heard).toEqual([])
  })

  it('R6: a release to the pool removes listeners with a warning, and the next owner hears nothing', async () => {
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const warnings: string[] = []
    pool.on('warning', ({ message }) => warnings.push(message))
    await pool.use(async (held) => {
      await held.addListener('news', hear)
      held.addLogListener(() => heard.push(['notice', { pid: 0, channel: '' }]))
    })
    await pool.use(async (held) => {
      expect(await held.fetch('select pg_listening_channels()')).toEqual([])
      await held.execute("listen news; notify news; do $$ begin raise notice 'x'; end $$")
      await held.fetchVal('select 1')
    })
    expect(heard).toEqual([])
    expect(warnings).toEqual([
      expect.stringContaining('released with listeners to channel "news", notices, which were removed'),
    ])
    await pool.use(async (held) => {
      await held.addListener('news', () => {
        throw new Error('oops')
      })
      await held.execute('notify news')
      await until('the pool warns', () => warnings.includes('a listener of a connection failed'))
      await held.removeListener('news', hear)
    })
    await pool.terminate()
  })
})
