import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Connection,
  connect,
  createPool,
  type NotificationSource,
  type Pool,
  type PostgresReport,
} from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { startProxy } from './support/proxy.ts'

describe.for(servers())('listeners as asyncpg tests them, on PostgreSQL $major', (server) => {
  let dsn: string
  let pool: Pool
  let connection: Connection

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    pool = await createPool(dsn, { minSize: 2, maxSize: 2 })
    connection = await connect(dsn, { serverSettings: { client_min_messages: 'notice' } })
  })

  afterEach(async () => {
    await connection.terminate()
    await pool.terminate()
  })

  /** What came before this notification has come, too. */
  const barrier = async () => {
    let isThere = false
    const listener = () => {
      isThere = true
    }
    await connection.addListener('barrier', listener)
    await connection.execute('notify barrier')
    await until('the barrier is there', () => isThere)
    await connection.removeListener('barrier', listener)
  }

  it('each of several on a channel hears it, until it is removed', async () => {
    const heard: [who: string, payload: string, source: NotificationSource][] = []
    const first = (payload: string, source: NotificationSource) => heard.push(['first', payload, source])
    const second = (payload: string, source: NotificationSource) => heard.push(['second', payload, source])
    const third = async (payload: string, source: NotificationSource) =>
      heard.push(['third', payload, source])
    for (const listener of [first, second, third]) await connection.addListener('test', listener)
    await connection.execute("notify test, 'aaaa'")
    await barrier()
    const source = { pid: connection.processId, channel: 'test' }
    expect(heard.splice(0)).toEqual([
      ['first', 'aaaa', source],
      ['second', 'aaaa', source],
      ['third', 'aaaa', source],
    ])
    await connection.removeListener('test', second)
    await connection.removeListener('test', third)
    await connection.execute("notify test, 'bbbb'")
    await barrier()
    expect(heard.splice(0)).toEqual([['first', 'bbbb', source]])
    await connection.removeListener('test', first)
    await connection.removeListener('test', first)
    await connection.execute("notify test, 'cccc'")
    await barrier()
    expect(heard).toEqual([])
  })

  it.for(['ipc', '12+"34', 'Üben', "it's"])(
    'the channel %s is heard from another connection',
    async (channel) => {
      const heard: [string, NotificationSource][] = []
      await connection.addListener(channel, (payload, source) => heard.push([payload, source]))
      const sender = await pool.use(async (other) => {
        await other.fetch('select pg_notify($1, $2)', [channel, 'hello'])
        return other.processId
      })
      await until('it is heard', () => heard.length > 0)
      expect(heard).toEqual([['hello', { pid: sender, channel }]])
    },
  )

  it('what still listens at the release is removed with a warning, and the next owner hears nothing', async () => {
    await using single = await createPool(dsn, { minSize: 1, maxSize: 1 })
    const warnings: string[] = []
    single.on('warning', ({ message }) => warnings.push(message))
    const heard: unknown[] = []
    const processId = await single.use(async (lent) => {
      await lent.addListener('ipc', (payload) => heard.push(payload))
      lent.addLogListener((report) => heard.push(report))
      return lent.processId
    })
    await single.use(async (lent) => {
      expect(lent.processId).toBe(processId)
      await lent.execute("notify ipc, 'x'; do $$ begin raise warning 'catch me'; end $$")
      expect(await lent.fetch('select pg_listening_channels()')).toEqual([])
    })
    expect(warnings).toEqual([expect.stringMatching(/ipc/)])
    expect(heard).toEqual([])
  })

  it('notices and warnings are told with their fields, until the listener is removed', async () => {
    const heard: PostgresReport[] = []
    const first = (report: PostgresReport) => heard.push(report)
    const second = async (report: PostgresReport) => heard.push(report)
    const raise = (level: string) => connection.execute(`do $$ begin raise ${level} 'catch me!'; end $$`)
    connection.addLogListener(first)
    connection.addLogListener(second)
    await raise('notice')
    await raise('warning')
    const told = {
      message: 'catch me!',
      where: expect.stringContaining('PL/pgSQL function inline_code_block'),
      routine: 'exec_stmt_raise',
    }
    expect(heard.splice(0)).toMatchObject([
      { ...told, severity: 'NOTICE', sqlState: '00000' },
      { ...told, severity: 'NOTICE', sqlState: '00000' },
      { ...told, severity: 'WARNING', sqlState: '01000' },
      { ...told, severity: 'WARNING', sqlState: '01000' },
    ])
    connection.removeLogListener(first)
    connection.removeLogListener(second)
    await raise('notice')
    expect(heard).toEqual([])
  })

  it('notices come with the statement that raises them, and its errors are not among them', async () => {
    const heard: string[] = []
    connection.addLogListener(({ message, sqlState }) => heard.push(`${sqlState} ${message}`))
    await connection.execute(
      `create function pg_temp.noisy(i int) returns int language plpgsql as $$ begin
         raise notice '1_%', i; perform pg_sleep(0.01); raise notice '2_%', i; return i; end $$`,
    )
    for (let i = 0; i < 10; i++) {
      await connection.fetchVal('select pg_temp.noisy($1)', [i])
      expect(heard.splice(0)).toEqual([`00000 1_${i}`, `00000 2_${i}`])
    }
    const raise = (level: string, code: string) =>
      connection.execute(`do $$ begin raise ${level} 'catch me!' using errcode = '${code}'; end $$`)
    await raise('warning', '01004')
    await expect(raise('exception', '22018')).rejects.toMatchObject({ sqlState: '22018' })
    expect(heard).toEqual(['01004 catch me!'])
  })

  it('the end of a connection is told once, whoever ends it', async () => {
    const proxy = await startProxy(server)
    for (const end of ['cut', 'close', 'terminate'] as const) {
      const own = await connect(proxy.reach(dsn))
      let told = 0
      own.addTerminationListener(() => told++)
      own.addTerminationListener(async () => told++)
      if (end === 'cut') {
        proxy.cut()
        await own.fetch('select 1').catch(() => {})
      } else {
        await own[end]()
      }
      await until('it is told', () => told === 2)
    }
  })
})
