import net from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type ConnectOptions,
  resolveConnectOptions,
} from '../../src/connection/connecting/connect-options.ts'
import { establish } from '../../src/connection/connecting/hosts.ts'
import type { Clock } from '../../src/deadline.ts'
import { ConnectError } from '../../src/errors.ts'
import type { ServerAddress } from '../../src/wire/transport.ts'
import { servers } from '../support/servers.ts'
import { authentication, report, welcome } from '../wire/support/backend.ts'
import { never, type Peer, scriptedServer } from '../wire/support/scripted-server.ts'

function target(addresses: ServerAddress[], options: ConnectOptions = {}) {
  const host = addresses.map((address) => address.host)
  const port = addresses.map((address) => address.port)
  return resolveConnectOptions(
    undefined,
    { host, port, user: 'app', ssl: 'disable', passfile: '/none', ...options },
    {},
  )
}

/** Virtual time: timers fire when the test says so, and those that are left can be counted. */
class HandClock implements Clock {
  readonly timers = new Map<() => void, number>()

  now(): number {
    return 0
  }

  setTimer(ms: number, fire: () => void) {
    this.timers.set(fire, ms)
    return { cancel: () => void this.timers.delete(fire) }
  }

  fireAll(): void {
    for (const fire of this.timers.keys()) fire()
  }
}

const welcoming = async (peer: Peer) => {
  await peer.startup()
  peer.send(welcome)
}

const refusing = (sqlState: string) => async (peer: Peer) => {
  await peer.startup()
  peer.socket.end(report('E', sqlState, `no: ${sqlState}`))
}

/** An address on which nobody listens. */
async function deadAddress(): Promise<ServerAddress> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const { port } = server.address() as net.AddressInfo
  await new Promise((closed) => server.close(closed))
  return { host: '127.0.0.1', port }
}

async function failed(attempt: Promise<unknown>): Promise<ConnectError> {
  const failure = await attempt.catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(ConnectError)
  return failure as ConnectError
}

describe('hosts are tried in turn', () => {
  test('the first that grants a session is taken, and the next ones are left alone', async () => {
    const [first, second] = [await scriptedServer(welcoming), await scriptedServer(welcoming)]
    const session = await establish(target([first.address, second.address]), never)
    session.socket.destroy()
    expect(session.address).toEqual({ ...first.address, ip: '127.0.0.1' })
    expect(second.peers).toHaveLength(0)
  })

  test('one that cannot be reached, and one that refuses for good, make way for the next', async () => {
    const refuses = await scriptedServer(refusing('28P01'))
    const grants = await scriptedServer(welcoming)
    const session = await establish(target([await deadAddress(), refuses.address, grants.address]), never)
    session.socket.destroy()
    expect(session.address.port).toBe(grants.address.port)
  })

  test('when all fail, each is told, and the failure is permanent only where each is', async () => {
    const dead = await deadAddress()
    const wrong = await scriptedServer(refusing('28P01'))
    const unknown = await scriptedServer(refusing('3D000'))
    const mixed = await failed(establish(target([dead, wrong.address]), never))
    expect(mixed.message).toContain(`cannot connect to 127.0.0.1:${dead.port}: connect ECONNREFUSED`)
    expect(mixed.message).toContain(`; cannot connect to 127.0.0.1:${wrong.address.port}: no: 28P01 (28P01)`)
    expect(mixed.permanent).toBe(false)
    expect(mixed.cause).toBeInstanceOf(AggregateError)
    expect((mixed.cause as AggregateError).errors.map((error) => error.permanent)).toEqual([false, true])
    const final = await failed(establish(target([wrong.address, unknown.address]), never))
    expect(final.permanent).toBe(true)
  })

  test('a single host has its own failure as the cause', async () => {
    const server = await scriptedServer(refusing('3D000'))
    const failure = await failed(establish(target([server.address]), never))
    expect(failure).toMatchObject({ permanent: true, cause: { sqlState: '3D000' } })
  })
})

describe('connectTimeout', () => {
  test('bounds each host for itself, and the socket of a silent one is destroyed', async () => {
    const clock = new HandClock()
    const silent = await scriptedServer(async (peer) => {
      await peer.startup()
      clock.fireAll()
    })
    const grants = await scriptedServer(welcoming)
    const session = await establish(
      target([silent.address, grants.address], { connectTimeout: '3s' }),
      never,
      clock,
    )
    session.socket.destroy()
    expect(session.address.port).toBe(grants.address.port)
    await silent.peers[0]!.left()
    expect(clock.timers.size).toBe(0)
  })

  test('passing is a temporary failure that names the host and the limit', async () => {
    const clock = new HandClock()
    const silent = await scriptedServer(async (peer) => {
      await peer.startup()
      clock.fireAll()
    })
    const failure = await failed(establish(target([silent.address], { connectTimeout: '3s' }), never, clock))
    expect(failure.message).toBe(
      `cannot connect to 127.0.0.1:${silent.address.port}: not ready within 3 s (connectTimeout)`,
    )
    expect(failure.permanent).toBe(false)
  })

  test('of 0 is no limit: no timer is set', async () => {
    const clock = new HandClock()
    const server = await scriptedServer(welcoming)
    const connecting = establish(target([server.address], { connectTimeout: 0 }), never, clock)
    expect(clock.timers.size).toBe(0)
    const { socket } = await connecting
    socket.destroy()
  })

  test('counts in a password function that never answers, before anything is opened', async () => {
    const clock = new HandClock()
    const server = await scriptedServer(welcoming)
    const password = () => new Promise<string>(() => {})
    const connecting = establish(target([server.address], { password }), never, clock)
    clock.fireAll()
    expect((await failed(connecting)).message).toMatch(/not ready within 10 s/)
    expect(server.peers).toHaveLength(0)
  })

  test('having passed, a server that answers late finds the socket closed', async () => {
    const clock = new HandClock()
    const late = await scriptedServer(async (peer) => {
      await peer.startup()
      clock.fireAll()
      await peer.left()
      peer.send(welcome)
    })
    await failed(establish(target([late.address]), never, clock))
    await late.peers[0]!.left()
    expect(late.peers).toHaveLength(1)
  })
})

describe('aborting', () => {
  test('rejects with the reason, destroys the socket and tries no further host', async () => {
    const clock = new HandClock()
    const controller = new AbortController()
    const silent = await scriptedServer(async (peer) => {
      await peer.startup()
      controller.abort(new Error('no longer wanted'))
    })
    const next = await scriptedServer(welcoming)
    const connecting = establish(target([silent.address, next.address]), controller.signal, clock)
    await expect(connecting).rejects.toThrow('no longer wanted')
    await silent.peers[0]!.left()
    expect(next.peers).toHaveLength(0)
    expect(clock.timers.size).toBe(0)
  })

  test('in the very turn of the readiness leaves nothing open', async () => {
    const controller = new AbortController()
    const server = await scriptedServer(welcoming)
    // The client pauses its socket when it reads the ReadyForQuery.
    const pause = vi.spyOn(net.Socket.prototype, 'pause').mockImplementation(function (this: net.Socket) {
      queueMicrotask(() => controller.abort(new Error('no longer wanted')))
      return this
    })
    onTestFinished(() => pause.mockRestore())
    await expect(establish(target([server.address]), controller.signal)).rejects.toThrow('no longer wanted')
    await server.peers[0]!.left()
  })

  test('before it began asks for no password and opens nothing', async () => {
    let asked = 0
    const server = await scriptedServer(welcoming)
    const password = () => `${asked++}`
    const signal = AbortSignal.abort(new Error('no longer wanted'))
    await expect(establish(target([server.address], { password }), signal)).rejects.toThrow(
      'no longer wanted',
    )
    expect([asked, server.peers.length]).toEqual([0, 0])
  })

  test('leaves no listener on the signal, nor does a success', async () => {
    const controller = new AbortController()
    const { signal } = controller
    let listeners = 0
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const server = await scriptedServer(welcoming)
    const { socket } = await establish(target([server.address]), signal)
    socket.destroy()
    await failed(establish(target([await deadAddress()]), signal))
    expect(listeners).toBe(0)
  })
})

test('R12: a password function is asked at each connect to each host', async () => {
  let asked = 0
  const server = await scriptedServer(async (peer) => {
    await peer.startup()
    peer.send(authentication(5, Buffer.from('salt')))
    await peer.message()
    peer.send(welcome)
  })
  const options = target([await deadAddress(), server.address], { password: async () => `token ${++asked}` })
  for (const expected of [2, 4]) {
    const { socket } = await establish(options, never)
    socket.destroy()
    expect(asked).toBe(expected)
  }
})

test('a password function that throws fails that host, with the error as the cause', async () => {
  const cause = new Error('no token today')
  const server = await scriptedServer(welcoming)
  const failure = await failed(
    establish(target([server.address], { password: () => Promise.reject(cause) }), never),
  )
  expect(failure.message).toMatch(/^cannot connect to 127\.0\.0\.1:\d+: the password function failed/)
  expect(failure).toMatchObject({ permanent: false, cause })
})

describe.each(servers())('PostgreSQL $major', ({ roles, socketDirectory, port, dsn }) => {
  test.each(['trust', 'password', 'md5', 'scram'] as const)(
    'is reached with the DSN of the role %s',
    async (method) => {
      const session = await establish(resolveConnectOptions(roles[method].dsn, {}, {}), never)
      session.socket.destroy()
      expect(session.encrypted).toBe(true)
      expect(session.parameters.get('client_encoding')).toBe('UTF8')
    },
  )

  test('is reached over its Unix-domain socket', async () => {
    const uri = `postgres://postgres@${encodeURIComponent(socketDirectory)}:${port}/postgres`
    const session = await establish(resolveConnectOptions(uri, {}, {}), never)
    session.socket.destroy()
    expect(session).toMatchObject({ encrypted: false, address: { host: socketDirectory } })
  })

  test('is found behind a dead host', async () => {
    const dead = await deadAddress()
    const uri = dsn.replace('@', `@127.0.0.1:${dead.port},`)
    const session = await establish(resolveConnectOptions(uri, {}, {}), never)
    session.socket.destroy()
    expect(session.address.port).toBe(port)
  })
})
