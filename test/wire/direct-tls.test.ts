import { once } from 'node:events'
import tls from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { resolveConnectOptions } from '../../src/connection/connecting/connect-options.ts'
import { ConnectError } from '../../src/errors.ts'
import { connect } from '../../src/index.ts'
import { sendCancel } from '../../src/wire/cancel.ts'
import { startSession } from '../../src/wire/startup.ts'
import { TlsSettings } from '../../src/wire/tls.ts'
import type { ServerAddress } from '../../src/wire/transport.ts'
import { certificates, servers } from '../support/servers.ts'
import { welcome } from './support/backend.ts'
import { never, Peer, scriptedServer, sessionRequest } from './support/scripted-server.ts'

const direct = () => new TlsSettings(true, 'chain-and-name', { ca: certificates().authority.cert }, 'direct')

/** A server of TLS from the first byte. */
async function tlsServer(
  options: tls.TlsOptions,
  script: (peer: Peer) => unknown,
): Promise<{ address: ServerAddress }> {
  const { cert, key } = certificates().server
  const server = tls.createServer({ cert, key, ...options }, async (socket) => {
    sockets.push(socket)
    await Promise.resolve(script(new Peer(socket))).catch(() => socket.destroy())
  })
  const sockets: tls.TLSSocket[] = []
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { address: { host: '127.0.0.1', port: (server.address() as { port: number }).port } }
}

const welcoming = async (peer: Peer) => {
  await peer.startup()
  peer.send(welcome)
}

async function refused(address: ServerAddress, settings = direct()): Promise<ConnectError> {
  const attempt = startSession(sessionRequest(address, { tls: settings }), never)
  const failure = await attempt.catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(ConnectError)
  return failure as ConnectError
}

describe('sslNegotiation: direct', () => {
  test('begins with the handshake and agrees on the protocol postgresql', async () => {
    let agreed: unknown
    const server = await tlsServer({ ALPNProtocols: ['postgresql'] }, async (peer) => {
      agreed = (peer.socket as tls.TLSSocket).alpnProtocol
      await welcoming(peer)
    })
    const session = await startSession(sessionRequest(server.address, { tls: direct() }), never)
    session.socket.destroy()
    expect(session).toMatchObject({ encrypted: true, tls: { negotiation: 'direct', mandatory: true } })
    expect(agreed).toBe('postgresql')
  })

  test('refuses for good a TLS server that does not agree on a protocol, and tells it nothing', async () => {
    const heard: unknown[] = []
    const server = await tlsServer({}, async (peer) => heard.push(await peer.startup()))
    const failure = await refused(server.address)
    expect(failure.message).toMatch(
      /^cannot connect to 127\.0\.0\.1:\d+: the server did not agree to the protocol postgresql/,
    )
    expect(failure.permanent).toBe(true)
    expect(heard).toEqual([])
  })

  test('refuses a TLS server of another protocol', async () => {
    const server = await tlsServer({ ALPNProtocols: ['http/1.1'] }, () => {})
    expect((await refused(server.address)).message).toMatch(/the TLS handshake failed: .*needs PostgreSQL 17/)
  })

  test('checks the certificate as ever', async () => {
    const { cert, key } = certificates().wrongHost
    const server = await tlsServer({ cert, key, ALPNProtocols: ['postgresql'] }, welcoming)
    const failure = await refused(server.address)
    expect(failure.message).toMatch(/is not in the cert's list/)
    expect(failure.permanent).toBe(true)
  })

  test('never falls back to asking, nor to the clear', async () => {
    const server = await scriptedServer((peer) => peer.socket.end())
    expect((await refused(server.address)).message).toMatch(/the TLS handshake failed/)
    expect(server.peers).toHaveLength(1)
  })

  test('is used for the cancel, too', async () => {
    let packet: Buffer | undefined
    const server = await tlsServer({ ALPNProtocols: ['postgresql'] }, async (peer) => {
      packet = await peer.packet()
      peer.socket.end()
    })
    const session = { address: server.address, tls: direct(), processId: 1, secretKey: Buffer.from('key!') }
    expect(await sendCancel(session, 0)).toBe(true)
    expect(packet).toHaveLength(12)
  })

  test('comes from the option, the DSN or the environment', () => {
    const negotiation = (...args: Parameters<typeof resolveConnectOptions>) =>
      resolveConnectOptions(...args).tls?.negotiation
    const env = { PGSSLNEGOTIATION: 'direct', PGSSLMODE: 'require' }
    expect(negotiation(undefined, {}, env)).toBe('direct')
    expect(negotiation('postgres://db?sslmode=require&sslnegotiation=direct', {}, {})).toBe('direct')
    expect(negotiation('postgres://db?sslnegotiation=postgres', {}, env)).toBe('postgres')
    expect(negotiation(undefined, { ssl: true, sslNegotiation: 'direct' }, {})).toBe('direct')
    expect(negotiation(undefined, { ssl: true }, {})).toBe('postgres')
  })
})

test('the protocol is offered where TLS is asked for, too, and a server that ignores it will do', async () => {
  const agreed: unknown[] = []
  for (const options of [{ ALPNProtocols: ['postgresql'] }, {}]) {
    const server = await scriptedServer(async (peer) => {
      const { cert, key } = certificates().server
      await peer.encrypt({ cert, key, ...options })
      await peer.startup()
      agreed.push((peer.socket as tls.TLSSocket).alpnProtocol)
      peer.send(welcome)
    })
    const settings = new TlsSettings(true, 'none', {})
    const { socket } = await startSession(sessionRequest(server.address, { tls: settings }), never)
    socket.destroy()
  }
  expect(agreed).toEqual(['postgresql', false])
})

describe.for(servers())('PostgreSQL $major', (server) => {
  const open = () =>
    connect(server.dsn, { ssl: { ca: certificates().authority.cert }, sslNegotiation: 'direct' })

  test('17 and later take direct TLS, and a cancel over it; an older one is told apart', async () => {
    if (server.major < 17) {
      await expect(open()).rejects.toThrow(/the TLS handshake failed: .*needs PostgreSQL 17 or later/)
      return
    }
    const connection = await open()
    const encrypted = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
    expect(await connection.fetchVal(encrypted)).toBe(true)
    const late = connection.execute('select pg_sleep(60)', [], { timeout: 50 })
    await expect(late).rejects.toMatchObject({ code: 'ROCKPOOL_QUERY_TIMEOUT' })
    expect(await connection.fetchVal('select 1')).toBe(1)
    await connection.close()
  })
})
