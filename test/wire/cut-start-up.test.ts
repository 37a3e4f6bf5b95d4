import { once } from 'node:events'
import net from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { resolveConnectOptions } from '../../src/connection/connecting/connect-options.ts'
import { establish } from '../../src/connection/connecting/hosts.ts'
import type { Clock } from '../../src/deadline.ts'
import { ConnectError } from '../../src/errors.ts'
import { certificates, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { welcome } from './support/backend.ts'
import { never, scriptedServer } from './support/scripted-server.ts'

/** How a connection ends at the byte where it is cut: properly, by a reset, or not at all. */
type Cut = 'FIN' | 'RST' | 'silence'

/** Time passes when the test says so. */
class HandClock implements Clock {
  readonly #timers = new Set<() => void>()

  now(): number {
    return 0
  }

  setTimer(_ms: number, fire: () => void) {
    this.#timers.add(fire)
    return { cancel: () => void this.#timers.delete(fire) }
  }

  pass(): void {
    for (const fire of this.#timers) fire()
  }

  get pending(): number {
    return this.#timers.size
  }
}

interface Passage {
  /** How many bytes of the server go through. */
  bytes: number
  cut: Cut
  /** Told once the last of them was sent. */
  reached?: () => void
}

/** Stands before a server, and lets only so much of what it says through to the next client. */
async function cuttingProxy(target: { host: string; port: number }) {
  const passages: Passage[] = []
  const sockets = new Set<net.Socket>()
  let heard = 0
  const proxy = net.createServer((client) => {
    const { bytes, cut, reached } = passages.shift() ?? { bytes: Number.POSITIVE_INFINITY, cut: 'FIN' }
    const server = net.connect(target)
    let left = bytes
    heard = 0
    const end = () => {
      server.destroy()
      if (cut === 'FIN') client.end()
      if (cut === 'RST') client.resetAndDestroy()
      reached?.()
    }
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('close', () => server.destroy())
    client.on('data', (chunk) => server.write(chunk))
    if (left === 0) end()
    server.on('data', (chunk: Buffer) => {
      heard += chunk.length
      if (left === 0) return
      const through = chunk.subarray(0, left)
      left -= through.length
      client.write(through)
      if (left === 0) end()
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
    await once(proxy, 'close')
  })
  return {
    port: (proxy.address() as net.AddressInfo).port,
    /** What the next client gets. */
    next: (passage: Passage) => void passages.push(passage),
    /** How many bytes the server has said to the last client. */
    heard: () => heard,
    /** Resolves when no connection is left. */
    quiet: () => until('every socket of the proxy is closed', () => sockets.size === 0),
  }
}

const openSockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length

/** The start-up cut at one place: it must fail as a ConnectError, and leave neither a socket nor a timer. */
async function cutAt(dsn: string, proxy: Awaited<ReturnType<typeof cuttingProxy>>, bytes: number, cut: Cut) {
  const clock = new HandClock()
  proxy.next({ bytes, cut, ...(cut === 'silence' && { reached: () => clock.pass() }) })
  const outcome = await establish(resolveConnectOptions(dsn, {}, {}), never, clock).then(
    ({ socket }) => {
      socket.destroy()
      return 'a session'
    },
    (error: unknown) => error,
  )
  const where = `${cut} after ${bytes} bytes`
  expect(outcome, where).toBeInstanceOf(ConnectError)
  expect((outcome as ConnectError).message, where).toMatch(
    /^cannot connect to (127\.0\.0\.1|localhost):\d+: ./,
  )
  expect((outcome as ConnectError).permanent, where).toBe(false)
  if (cut === 'silence') expect((outcome as ConnectError).message, where).toMatch(/not ready within 10 s/)
  expect(clock.pending, where).toBe(0)
  await proxy.quiet()
}

test('a server that closes at any byte of its answer is a ConnectError, and no socket stays', async () => {
  const before = openSockets()
  for (let bytes = 0; bytes < welcome.length; bytes++) {
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.socket.end(welcome.subarray(0, bytes))
    })
    const dsn = `postgres://app@127.0.0.1:${server.address.port}/x?sslmode=disable`
    const attempt = establish(resolveConnectOptions(dsn, {}, {}), never)
    await expect(attempt, `after ${bytes} bytes`).rejects.toThrow(
      /the server closed the connection before it was ready$/,
    )
    await server.peers[0]!.left()
  }
  await until('every socket is gone', () => openSockets() <= before)
})

describe.for(servers())('PostgreSQL $major behind a proxy that cuts', (server) => {
  const { user, password } = server.roles.scram
  const dsnFor = (port: number, tls: boolean) => {
    const ssl = tls ? `verify-full&sslrootcert=${certificates().authority.certFile}` : 'disable'
    return `postgres://${user}:${password}@localhost:${port}/postgres?hostaddr=127.0.0.1&sslmode=${ssl}`
  }

  test.for<[what: string, cut: Cut, tls: boolean, step: number]>([
    ['a login by SCRAM', 'FIN', false, 5],
    ['a login by SCRAM', 'RST', false, 17],
    ['a login by SCRAM', 'silence', false, 5],
    ['TLS and a login by SCRAM in it', 'FIN', true, 41],
    ['TLS and a login by SCRAM in it', 'RST', true, 131],
    ['TLS and a login by SCRAM in it', 'silence', true, 53],
  ])('%s that breaks off by %s fails in time, wherever it is', async ([_what, cut, tls, step]) => {
    const before = openSockets()
    const proxy = await cuttingProxy(server)
    const dsn = dsnFor(proxy.port, tls)
    const whole = await establish(resolveConnectOptions(dsn, {}, {}), never)
    const total = proxy.heard()
    whole.socket.destroy()
    await proxy.quiet()
    expect(total).toBeGreaterThan(500)
    // The lengths of a signature and a certificate's ticket differ by a few bytes from one handshake to the next.
    const last = total - (tls ? 80 : 1)
    for (let bytes = 0; bytes < last; bytes += step) await cutAt(dsn, proxy, bytes, cut)
    await cutAt(dsn, proxy, last, cut)
    await until('every socket is gone', () => openSockets() <= before)
  })
})
