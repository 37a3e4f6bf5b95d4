import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ConnectOptions,
  type ResolvedConnectOptions,
  resolveConnectOptions,
} from '../../src/connection/connecting/connect-options.ts'
import { establish } from '../../src/connection/connecting/hosts.ts'
import type { TargetSessionAttrs } from '../../src/connection/connecting/server-kind.ts'
import { ConnectError } from '../../src/errors.ts'
import { connect, createPool } from '../../src/index.ts'
import { primaryAndStandby, type Replication } from '../support/primary-and-standby.ts'
import { servers } from '../support/servers.ts'
import { until } from '../support/until.ts'
import {
  authenticationOk,
  cstring,
  int16,
  int32,
  message,
  parameterStatus,
  readyForQuery,
  report,
} from '../wire/support/backend.ts'
import { never, type Peer, type ScriptedServer, scriptedServer } from '../wire/support/scripted-server.ts'

const reported = Buffer.concat([
  authenticationOk,
  parameterStatus('server_version', '18.0'),
  parameterStatus('client_encoding', 'UTF8'),
])

const onOff = (value: boolean) => (value ? 'on' : 'off')

/** A server that reports what it is, as PostgreSQL 14 and later do. */
const reporting = (isStandby: boolean, isReadOnly = isStandby) =>
  scriptedServer(async (peer) => {
    await peer.startup()
    const kind = [
      parameterStatus('in_hot_standby', onOff(isStandby)),
      parameterStatus('default_transaction_read_only', onOff(isReadOnly)),
    ]
    peer.send(reported, ...kind, readyForQuery())
  })

/** A server that does not report what it is, and answers each question with `value`. */
const silent = (value: string, questions: string[] = []) =>
  scriptedServer(async (peer) => {
    await peer.startup()
    peer.send(reported, readyForQuery())
    questions.push((await peer.message()).toString().replace('\0', ''))
    const row = message('D', int16(1), int32(Buffer.byteLength(value)), Buffer.from(value))
    peer.send(message('T', int16(1), cstring('c'), Buffer.alloc(18)), row)
    peer.send(message('C', cstring('SELECT 1')), parameterStatus('TimeZone', 'UTC'), readyForQuery())
  })

function target(list: ScriptedServer[], options: ConnectOptions): ResolvedConnectOptions {
  const host = list.map(({ address }) => address.host)
  const port = list.map(({ address }) => address.port)
  return resolveConnectOptions(undefined, { host, port, user: 'app', ssl: 'disable', ...options }, {})
}

async function portOf(resolved: ResolvedConnectOptions): Promise<number> {
  const { socket, address } = await establish(resolved, never)
  socket.destroy()
  return address.port
}

async function failed(attempt: Promise<unknown>): Promise<ConnectError> {
  const failure = await attempt.catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(ConnectError)
  return failure as ConnectError
}

describe('R19: of a server that reports its kind', () => {
  test.each<[attrs: TargetSessionAttrs, primary: boolean, readOnlyPrimary: boolean, standby: boolean]>([
    ['any', true, true, true],
    ['primary', true, true, false],
    ['standby', false, false, true],
    ['prefer-standby', true, true, true],
    ['read-write', true, false, false],
    ['read-only', false, true, true],
  ])('%s takes a primary: %s, a read-only primary: %s, a standby: %s', async (attrs, ...expected) => {
    const kinds = [await reporting(false), await reporting(false, true), await reporting(true)]
    const taken = kinds.map((server) =>
      portOf(target([server], { targetSessionAttrs: attrs })).then(
        () => true,
        () => false,
      ),
    )
    expect(await Promise.all(taken)).toEqual(expected)
  })
})

describe('R19: a server that does not report its kind is asked', () => {
  test.each<[attrs: TargetSessionAttrs, question: string, yes: string, no: string]>([
    ['primary', 'select pg_catalog.pg_is_in_recovery()', 'f', 't'],
    ['standby', 'select pg_catalog.pg_is_in_recovery()', 't', 'f'],
    ['read-write', 'show transaction_read_only', 'off', 'on'],
    ['read-only', 'show transaction_read_only', 'on', 'off'],
  ])('for %s: %s', async (attrs, question, yes, no) => {
    const questions: string[] = []
    const [unfit, fit] = [await silent(no, questions), await silent(yes, questions)]
    expect(await portOf(target([unfit, fit], { targetSessionAttrs: attrs }))).toBe(fit.address.port)
    expect(questions).toEqual([question, question])
  })

  test('and the session is handed over as if nothing had been asked', async () => {
    const server = await silent('off')
    const session = await establish(target([server], { targetSessionAttrs: 'read-write' }), never)
    const { socket } = session
    expect(session.parameters.get('TimeZone')).toBe('UTC')
    expect(['data', 'error', 'close'].map((event) => socket.listenerCount(event))).toEqual([0, 0, 0])
    expect(socket.isPaused()).toBe(true)
    socket.destroy()
  })

  test('and one that is not asked for, with any, is not asked', async () => {
    const questions: string[] = []
    await portOf(target([await silent('off', questions)], { targetSessionAttrs: 'any' }))
    expect(questions).toEqual([])
  })

  const answers: [what: string, answer: (peer: Peer) => unknown, says: RegExp][] = [
    ['an error', (peer) => peer.send(report('E', '57P01', 'going down')), /going down \(57P01\)$/],
    ['the end', (peer) => peer.socket.end(), /closed the connection before it was ready$/],
    ['no row', (peer) => peer.send(readyForQuery()), /gives no row where there must be one/],
    ['two columns', (peer) => peer.send(message('D', int16(2))), /a row of 2 columns/],
    ['a COPY', (peer) => peer.send(message('G', Buffer.alloc(3))), /message 'G' in answer to a simple query/],
  ]
  test.each(answers)('and answers with %s: the next host is tried', async (_what, answer, says) => {
    const odd = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(reported, readyForQuery())
      await peer.message()
      answer(peer)
    })
    const failure = await failed(portOf(target([odd], { targetSessionAttrs: 'primary' })))
    expect(failure.message).toMatch(/^cannot connect to 127\.0\.0\.1:\d+: /)
    expect(failure.message).toMatch(says)
    expect(failure.permanent).toBe(false)
    await odd.peers[0]!.left()
    const good = await reporting(false)
    expect(await portOf(target([odd, good], { targetSessionAttrs: 'primary' }))).toBe(good.address.port)
  })

  test('and does not answer: the time for the connect counts, and the socket is closed', async () => {
    const mute = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(reported, readyForQuery())
      await peer.message()
    })
    const options = { targetSessionAttrs: 'primary', connectTimeout: 500 } as const
    expect((await failed(portOf(target([mute], options)))).message).toMatch(/not ready within 500 ms/)
    await mute.peers[0]!.left()
  })
})

describe('R19: a server of the wrong kind', () => {
  test('hears a goodbye and makes way for the next host', async () => {
    let goodbye: Buffer | undefined
    const standby = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(reported, parameterStatus('in_hot_standby', 'on'), readyForQuery())
      goodbye = await peer.read(5)
    })
    const primary = await reporting(false)
    const port = await portOf(target([standby, primary], { targetSessionAttrs: 'primary' }))
    expect(port).toBe(primary.address.port)
    await standby.peers[0]!.left()
    expect(goodbye).toEqual(message('X'))
  })

  test('is told, each host with what it was; it may pass', async () => {
    const [standby, readOnly] = [await reporting(true), await reporting(false, true)]
    const failure = await failed(portOf(target([standby, readOnly], { targetSessionAttrs: 'read-write' })))
    expect(failure.message).toBe(
      `cannot connect to 127.0.0.1:${standby.address.port}: the server is read-only, which ` +
        `targetSessionAttrs: 'read-write' rules out; cannot connect to 127.0.0.1:${readOnly.address.port}: ` +
        "the server is read-only, which targetSessionAttrs: 'read-write' rules out",
    )
    expect(failure.permanent).toBe(false)
  })
})

describe('R19: prefer-standby', () => {
  test('takes a standby behind a primary', async () => {
    const [primary, standby] = [await reporting(false), await reporting(true)]
    const port = await portOf(target([primary, standby], { targetSessionAttrs: 'prefer-standby' }))
    expect(port).toBe(standby.address.port)
  })

  test('takes the first primary where no standby answers, and leaves alone those that failed', async () => {
    const broken = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.socket.end(report('E', '57P03', 'starting up'))
    })
    const [first, second] = [await reporting(false), await reporting(false)]
    const list = [broken, first, second]
    const port = await portOf(target(list, { targetSessionAttrs: 'prefer-standby' }))
    expect(port).toBe(first.address.port)
    expect(list.map(({ peers }) => peers.length)).toEqual([1, 2, 1])
  })
})

test('R19: loadBalanceHosts: random tries the hosts in the order that chance gives', async () => {
  const list = [await reporting(false), await reporting(false), await reporting(false)]
  const resolved = target(list, { loadBalanceHosts: 'random' })
  const first = async (...draws: number[]) => {
    const { socket, address } = await establish(resolved, never, undefined, () => draws.shift()!)
    socket.destroy()
    return list.findIndex((server) => server.address.port === address.port)
  }
  expect([await first(0.9, 0.9), await first(0.9, 0), await first(0, 0.9)]).toEqual([0, 1, 2])
})

test('R19: the wish comes from the option, the DSN or the environment', () => {
  const resolve = (dsn?: string, options: ConnectOptions = {}, env = {}) => {
    const { targetSessionAttrs, loadBalanceHosts } = resolveConnectOptions(dsn, options, env)
    return [targetSessionAttrs, loadBalanceHosts]
  }
  const env = { PGTARGETSESSIONATTRS: 'standby', PGLOADBALANCEHOSTS: 'random' }
  const dsn = 'postgres://a,b/tasks?target_session_attrs=read-write&load_balance_hosts=disable'
  expect(resolve()).toEqual(['any', 'disable'])
  expect(resolve(undefined, {}, env)).toEqual(['standby', 'random'])
  expect(resolve(dsn, {}, env)).toEqual(['read-write', 'disable'])
  expect(resolve(dsn, { targetSessionAttrs: 'primary', loadBalanceHosts: 'random' }, env)).toEqual([
    'primary',
    'random',
  ])
})

describe.for(servers())('R19: a primary and its standby on PostgreSQL $major', (server) => {
  let replication: Replication
  let both: string
  beforeAll(async () => {
    replication = await primaryAndStandby(server)
    const { standby, primary } = replication
    both = `postgres://postgres@127.0.0.1:${standby.port},127.0.0.1:${primary.port}/postgres`
  }, 60_000)
  afterAll(() => replication.stop())

  const reached = async (attrs: TargetSessionAttrs, dsn = both) => {
    const connection = await connect(dsn, { targetSessionAttrs: attrs })
    try {
      return await connection.fetchVal('select pg_is_in_recovery()')
    } finally {
      await connection.close()
    }
  }

  test.for<[TargetSessionAttrs, boolean]>([
    ['any', true],
    ['primary', false],
    ['read-write', false],
    ['standby', true],
    ['prefer-standby', true],
    ['read-only', true],
  ])('%s leads to the standby: %s', async ([attrs, isStandby]) => {
    expect(await reached(attrs)).toBe(isStandby)
  })

  test('a primary whose transactions are read-only by default is read-only', async () => {
    const { dsn } = replication.primary
    const settings = { default_transaction_read_only: 'on' }
    await expect(
      connect(dsn, { targetSessionAttrs: 'read-write', serverSettings: settings }),
    ).rejects.toThrow(/the server is read-only/)
  })

  test('after a failover, a pool that asks for read-write connects to the new primary', async () => {
    const { primary, standby, promote } = replication
    const dsn = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres`
    const pool = await createPool(dsn, { targetSessionAttrs: 'read-write', minSize: 1, maxSize: 2 })
    try {
      expect(await pool.fetchVal('select inet_server_port()')).toBe(primary.port)
      await primary.stop()
      await promote()
      const port = await until('the pool has found the new primary', () =>
        pool.fetchVal('select inet_server_port()').catch(() => undefined),
      )
      expect(port).toBe(standby.port)
      await pool.execute('create table after_the_failover ()')
    } finally {
      await pool.close()
    }
  })
})
