import { describe, expect, test } from 'vitest'
import { ConnectError, ConnectionLostError, PostgresError } from '../../src/errors.ts'
import { connectFailure } from '../../src/wire/connect-failure.ts'
import { startSession } from '../../src/wire/startup.ts'
import {
  authenticationOk,
  backendKeyData,
  cstring,
  int32,
  message,
  parameterStatus,
  readyForQuery,
  report,
  welcome,
} from './support/backend.ts'
import { never, type Peer, scriptedServer, sessionRequest } from './support/scripted-server.ts'

const reported = Buffer.concat([
  parameterStatus('server_version', '18.0'),
  parameterStatus('client_encoding', 'UTF8'),
])

/** The outcome of a start-up that the server answers with these bytes, and then closes. */
async function answered(...bytes: Buffer[]): Promise<ConnectError> {
  const server = await scriptedServer(async (peer) => {
    await peer.startup()
    peer.socket.end(Buffer.concat(bytes))
  })
  const failure = await startSession(sessionRequest(server.address), never).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(ConnectError)
  await server.peers[0]!.left()
  return failure as ConnectError
}

describe('a session that starts', () => {
  test('is asked for with the user, the database, UTF8 and the settings', async () => {
    let asked = new Map<string, string>()
    const server = await scriptedServer(async (peer) => {
      asked = await peer.startup()
      peer.send(welcome)
    })
    const serverSettings = { application_name: 'tests', search_path: 'täsks' }
    const session = await startSession(sessionRequest(server.address, { serverSettings }), never)
    session.socket.destroy()
    expect(Object.fromEntries(asked)).toEqual({
      user: 'app',
      database: 'tasks',
      client_encoding: 'UTF8',
      application_name: 'tests',
      search_path: 'täsks',
    })
  })

  test('is handed over paused, with the bytes behind ReadyForQuery and without a listener of ours', async () => {
    const extra = Buffer.concat([parameterStatus('TimeZone', 'UTC'), Buffer.from('S\0')])
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(welcome, extra)
    })
    const session = await startSession(sessionRequest(server.address), never)
    const { socket } = session
    const left = ['data', 'readable', 'error', 'close', 'connect', 'drain'].map((event) => [
      event,
      socket.listenerCount(event),
    ])
    expect(Object.fromEntries(left)).toEqual({
      data: 0,
      readable: 0,
      error: 0,
      close: 0,
      connect: 0,
      drain: 0,
    })
    expect(socket.isPaused()).toBe(true)
    expect(session.rest).toEqual(extra)
    const later = new Promise<Buffer>((resolve) => socket.once('data', resolve))
    socket.resume()
    server.peers[0]!.send(Buffer.from('later'))
    expect((await later).toString()).toBe('later')
    socket.destroy()
  })

  test('tells what the server reported', async () => {
    const key = Buffer.alloc(256, 7)
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(report('N', '01000', 'mind the gap'), authenticationOk, reported)
      peer.send(backendKeyData(42, key), readyForQuery('T'))
    })
    const session = await startSession(sessionRequest(server.address), never)
    session.socket.destroy()
    expect(session).toMatchObject({
      processId: 42,
      secretKey: key,
      transactionStatus: 'T',
      encrypted: false,
      tls: undefined,
      address: { ...server.address, ip: '127.0.0.1' },
      notices: [{ message: 'mind the gap', sqlState: '01000' }],
    })
    expect(session.parameters.get('server_version')).toBe('18.0')
  })

  test('needs no key, so that a proxy without cancels will do', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(authenticationOk, reported, readyForQuery())
    })
    const session = await startSession(sessionRequest(server.address), never)
    session.socket.destroy()
    expect(session).toMatchObject({ processId: 0, secretKey: Buffer.alloc(0) })
  })

  test('may come in slices of one byte', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.socket.setNoDelay(true)
      for (const byte of welcome) {
        await new Promise((written) => peer.socket.write(Buffer.of(byte), written))
      }
    })
    const session = await startSession(sessionRequest(server.address), never)
    session.socket.destroy()
    expect(session.processId).toBe(4711)
    expect(session.rest).toHaveLength(0)
  })

  test('goes on after a NegotiateProtocolVersion that rejects nothing', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(message('v', int32(0), int32(0)), welcome)
    })
    const session = await startSession(sessionRequest(server.address), never)
    session.socket.destroy()
    expect(session.processId).toBe(4711)
  })
})

describe('a start-up fails as broken when the server', () => {
  const broken: [what: string, bytes: Buffer, says: RegExp][] = [
    [
      'sends an unexpected message',
      Buffer.concat([authenticationOk, message('D')]),
      /message 'D' during the start-up/,
    ],
    ['starts with something else than authentication', readyForQuery(), /'Z' during the authentication/],
    ['sends a message of 64 KiB and one byte', Buffer.from('S\0\x01\0\x01'), /has the length 65537/],
    ['sends a message of length 3', Buffer.from('R\0\0\0\x03'), /has the length 3/],
    [
      'speaks HTTP',
      Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /is a PostgreSQL server at that address/,
    ],
    ['cuts a message short', message('R', Buffer.of(0, 0)), /ends before its fields do/],
    [
      'does not end a string',
      Buffer.concat([authenticationOk, message('S', Buffer.from('x'))]),
      /string has no end/,
    ],
    [
      'gives a key of 257 bytes',
      Buffer.concat([authenticationOk, backendKeyData(1, Buffer.alloc(257))]),
      /secret key of 257 bytes/,
    ],
    [
      'says an unknown status',
      Buffer.concat([authenticationOk, reported, readyForQuery('?')]),
      /ReadyForQuery says/,
    ],
    [
      'rejects protocol options that nobody asked for',
      message('v', int32(0), int32(1), cstring('_pq_.x')),
      /not asked for/,
    ],
    [
      'never comes to an end of its parameters',
      Buffer.concat([
        authenticationOk,
        ...Array.from({ length: 18 }, () => parameterStatus('x', 'y'.repeat(60_000))),
      ]),
      /takes more than 1048576 bytes/,
    ],
  ]
  test.each(broken)('%s', async (_what, bytes, says) => {
    const failure = await answered(bytes)
    expect(failure.message).toMatch(says)
    expect(failure.message).toMatch(/^cannot connect to 127\.0\.0\.1:\d+: the server broke the protocol/)
    expect(failure.cause).toBeInstanceOf(ConnectionLostError)
    expect(failure.permanent).toBe(false)
  })

  test.each([
    ['at once', Buffer.alloc(0)],
    ['in the middle of a message', welcome.subarray(0, 40)],
    ['before it is ready', welcome.subarray(0, -6)],
  ])('closes %s', async (_when, bytes) => {
    const failure = await answered(bytes)
    expect(failure.message).toMatch(/the server closed the connection before it was ready/)
    expect(failure.permanent).toBe(false)
  })
})

test.each([
  ['28P01', true],
  ['28000', true],
  ['3D000', true],
  ['42704', true],
  ['42501', true],
  ['22023', true],
  ['0A000', true],
  ['53300', false],
  ['57P03', false],
  ['57P01', false],
  ['08P01', false],
  ['08006', false],
  ['XX000', false],
])('an error %s of the server is the cause, and permanent is %s', async (sqlState, permanent) => {
  const failure = await answered(report('E', sqlState, 'no, said the server'))
  expect(failure.message).toMatch(new RegExp(`no, said the server \\(${sqlState}\\)$`))
  expect(failure.cause).toBeInstanceOf(PostgresError)
  expect(failure.cause).toMatchObject({ sqlState })
  expect(failure.permanent).toBe(permanent)
})

test('an error after the authentication is told too', async () => {
  const failure = await answered(
    authenticationOk,
    report('E', '42704', 'unrecognized configuration parameter'),
  )
  expect(failure.cause).toMatchObject({ condition: 'undefined_object' })
})

test('a server that does not report UTF8, or no version, is refused for good', async () => {
  const version = parameterStatus('server_version', '18.0')
  const latin = await answered(
    authenticationOk,
    version,
    parameterStatus('client_encoding', 'LATIN1'),
    readyForQuery(),
  )
  expect(latin).toMatchObject({ permanent: true, message: expect.stringContaining('client_encoding LATIN1') })
  const silent = await answered(authenticationOk, version, readyForQuery())
  expect(silent).toMatchObject({
    permanent: true,
    message: expect.stringContaining('client_encoding (nothing)'),
  })
  const unversioned = await answered(
    authenticationOk,
    parameterStatus('client_encoding', 'UTF8'),
    readyForQuery(),
  )
  expect(unversioned).toMatchObject({ permanent: true, message: expect.stringContaining('server_version') })
})

test('settings that no server would read are refused with their size', async () => {
  const server = await scriptedServer()
  const serverSettings = { search_path: 'x'.repeat(10_000) }
  const failure = startSession(sessionRequest(server.address, { serverSettings }), never)
  await expect(failure).rejects.toThrow(/serverSettings take 100\d\d bytes, the server accepts 10000/)
  await (await server.peer(0)).left()
})

describe('aborting the start-up closes the socket and rejects with the reason', () => {
  const moments: [when: string, script: (peer: Peer) => unknown][] = [
    ['before the server says anything', () => {}],
    ['while the server authenticates', (peer) => peer.send(authenticationOk)],
    ['in the middle of a message', (peer) => peer.send(welcome.subarray(0, -3))],
  ]
  test.each(moments)('%s', async (_when, script) => {
    const controller = new AbortController()
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      await script(peer)
      controller.abort(new Error('no longer wanted'))
    })
    await expect(startSession(sessionRequest(server.address), controller.signal)).rejects.toThrow(
      'no longer wanted',
    )
    await server.peers[0]!.left()
  })

  test('before it began: no connection is made', async () => {
    const server = await scriptedServer()
    const signal = AbortSignal.abort(new Error('no longer wanted'))
    await expect(startSession(sessionRequest(server.address), signal)).rejects.toThrow('no longer wanted')
    expect(server.peers).toHaveLength(0)
  })

  test('while the socket connects', async () => {
    const server = await scriptedServer()
    const controller = new AbortController()
    const starting = startSession(sessionRequest(server.address), controller.signal)
    controller.abort(new Error('no longer wanted'))
    await expect(starting).rejects.toThrow('no longer wanted')
  })
})

test('an address where nobody listens may pass', async () => {
  const failure = startSession(sessionRequest({ host: '127.0.0.1', port: 1 }), never)
  await expect(failure).rejects.toMatchObject({
    code: 'ROCKPOOL_CONNECT',
    permanent: false,
    message: 'cannot connect to 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
  })
})

test('a name is told with every address behind it that failed', () => {
  const cause = new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')])
  const failure = connectFailure({ host: 'localhost', port: 5432 }, cause)
  expect(failure.message).toBe('cannot connect to localhost:5432: refused by ::1, refused by 127.0.0.1')
})

test('a socket directory without a server is named by the path of the socket', async () => {
  const failure = startSession(sessionRequest({ host: '/nowhere', port: 5432 }), never)
  await expect(failure).rejects.toThrow('cannot connect to /nowhere/.s.PGSQL.5432: connect ENOENT')
})
