import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../src/errors.ts'
import { type EstablishedSession, startSession } from '../../src/wire/startup.ts'
import { TlsSettings } from '../../src/wire/tls.ts'
import type { ServerAddress } from '../../src/wire/transport.ts'
import { anyServer, certificates } from '../support/servers.ts'
import { authentication, report, welcome } from './support/backend.ts'
import { never, type Peer, scriptedServer, sessionRequest } from './support/scripted-server.ts'

const prefer = new TlsSettings(false, 'none', {})
const require = new TlsSettings(true, 'none', {})
const trusting = () => ({ ca: certificates().authority.cert })
const verifyCa = () => new TlsSettings(true, 'chain', trusting())
const verifyFull = () => new TlsSettings(true, 'chain-and-name', trusting())

type Named = Exclude<keyof ReturnType<typeof certificates>, 'authority' | 'client'>

/** A server that offers TLS with this certificate, and takes anyone. */
function tlsServer(name: Named, host?: string) {
  return scriptedServer(async (peer) => {
    const { cert, key } = certificates()[name]
    await peer.encrypt({ cert, key })
    await peer.startup()
    peer.send(welcome)
  }, host)
}

async function connected(address: ServerAddress, tls: TlsSettings | undefined): Promise<EstablishedSession> {
  const session = await startSession(sessionRequest(address, { tls }), never)
  session.socket.destroy()
  return session
}

async function refused(address: ServerAddress, tls: TlsSettings): Promise<ConnectError> {
  const failure = await startSession(sessionRequest(address, { tls }), never).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(ConnectError)
  return failure as ConnectError
}

describe('a certificate', () => {
  test.each<[name: Named, none: boolean, chain: boolean, name: boolean, says: RegExp]>([
    ['server', true, true, true, /never/],
    ['wrongHost', true, true, false, /does not match certificate's altnames/],
    ['expired', true, false, false, /certificate has expired/],
    ['unknownAuthority', true, false, false, /unable to verify the first certificate/],
    ['selfSigned', true, false, false, /self-signed certificate/],
  ])('%s passes require: %s, verify-ca: %s, verify-full: %s', async (name, none, chain, full, says) => {
    const server = await tlsServer(name)
    const address = { ...server.address, host: 'localhost', ip: '127.0.0.1' }
    for (const [tls, passes] of [
      [require, none] as const,
      [verifyCa(), chain] as const,
      [verifyFull(), full] as const,
    ]) {
      if (passes) {
        expect(await connected(address, tls)).toMatchObject({ encrypted: true })
        continue
      }
      const failure = await refused(address, tls)
      expect(failure.message).toMatch(says)
      expect(failure.message).toMatch(/^cannot connect to localhost:\d+: the TLS handshake failed/)
      expect(failure.permanent).toBe(true)
      expect(failure.cause).toBeInstanceOf(Error)
    }
  })

  test.each(['127.0.0.1', '::1'])(
    'is checked against the IP address %s where that is the host',
    async (host) => {
      const right = await tlsServer('server', host)
      expect(await connected(right.address, verifyFull())).toMatchObject({ encrypted: true })
      const wrong = await tlsServer('wrongHost', host)
      expect((await refused(wrong.address, verifyFull())).message).toMatch(/IP: .* is not in the cert's list/)
    },
  )

  test('is asked for by the name of the host, and by none for an IP address', async () => {
    const asked: unknown[] = []
    const server = await scriptedServer(async (peer) => {
      const { cert, key } = certificates().server
      await peer.encrypt({
        cert,
        key,
        SNICallback: (name, done) => {
          asked.push(name)
          done(null)
        },
      })
      await peer.startup()
      peer.send(welcome)
    })
    await connected(server.address, verifyFull())
    expect(asked).toEqual([])
    await connected({ ...server.address, host: 'localhost', ip: '127.0.0.1' }, verifyFull())
    expect(asked).toEqual(['localhost'])
  })
})

describe('a server that refuses TLS', () => {
  const inTheClear = async (peer: Peer) => {
    await peer.packet()
    peer.send(Buffer.from('N'))
    await peer.startup()
    peer.send(welcome)
  }

  test.each([
    ['require', () => require],
    ['verify-ca', verifyCa],
    ['verify-full', verifyFull],
  ])('is refused for good under %s', async (_mode, tls) => {
    const server = await scriptedServer(inTheClear)
    const failure = await refused(server.address, tls())
    expect(failure).toMatchObject({ permanent: true, message: expect.stringContaining('does not offer TLS') })
    await server.peers[0]!.left()
  })

  test('is reached in the clear under prefer, on the same connection', async () => {
    const server = await scriptedServer(inTheClear)
    expect(await connected(server.address, prefer)).toMatchObject({ encrypted: false, tls: undefined })
    expect(server.peers).toHaveLength(1)
  })

  test('is not even asked under disable', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(welcome)
    })
    expect(await connected(server.address, undefined)).toMatchObject({ encrypted: false })
  })
})

describe('the answer to the request for TLS', () => {
  test.each([
    ['S', prefer],
    ['S', require],
    ['N', prefer],
    ['N', require],
  ])('may not have bytes behind the %s (CVE-2021-23222)', async (answer, tls) => {
    const server = await scriptedServer(async (peer) => {
      await peer.packet()
      peer.send(Buffer.from(answer), welcome)
    })
    const failure = await refused(server.address, tls)
    expect(failure.message).toMatch(/sent bytes before the TLS handshake/)
    expect(server.peers).toHaveLength(1)
    await server.peers[0]!.left()
  })

  test('is not shown where it is an error, which anyone could have sent', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.packet()
      peer.send(report('E', '28000', 'send your password to example.org'))
    })
    const failure = await refused(server.address, prefer)
    expect(failure.message).toMatch(/answered the request for TLS with an error$/)
    expect(inspect(failure, { depth: 9 })).not.toContain('example.org')
  })

  test('must be one of a PostgreSQL server', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.packet()
      peer.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    })
    expect((await refused(server.address, require)).message).toMatch(
      /answered by 'H'; is a PostgreSQL server/,
    )
  })

  test('may fail to come: the signal ends the wait', async () => {
    const controller = new AbortController()
    const server = await scriptedServer(async (peer) => {
      await peer.packet()
      controller.abort(new Error('no longer wanted'))
    })
    const request = sessionRequest(server.address, { tls: prefer })
    await expect(startSession(request, controller.signal)).rejects.toThrow('no longer wanted')
    await server.peers[0]!.left()
  })

  test('may fail to come: an early close is told, and may pass', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.packet()
      peer.socket.end()
    })
    const failure = await refused(server.address, require)
    expect(failure).toMatchObject({
      permanent: false,
      message: expect.stringContaining('closed the connection'),
    })
  })
})

describe('a handshake that fails', () => {
  const breaking = async (peer: Peer, index: number) => {
    if (index > 0) {
      await peer.startup()
      peer.send(welcome)
      return
    }
    await peer.packet()
    peer.socket.end('S')
  }

  test('is tried again in the clear under prefer, as libpq does', async () => {
    const server = await scriptedServer(breaking)
    expect(await connected(server.address, prefer)).toMatchObject({ encrypted: false })
    expect(server.peers).toHaveLength(2)
    await server.peers[0]!.left()
  })

  test('is not tried again in the clear under require', async () => {
    const server = await scriptedServer(breaking)
    expect((await refused(server.address, require)).message).toMatch(/the TLS handshake failed/)
    expect(server.peers).toHaveLength(1)
  })

  test('never leads to a password in the clear', async () => {
    const server = await scriptedServer(async (peer, index) => {
      if (index === 0) return await breaking(peer, index)
      await peer.startup()
      peer.send(authentication(3))
    })
    const request = sessionRequest(server.address, { tls: prefer, password: 'canary-0d1e' })
    await expect(startSession(request, never)).rejects.toThrow(/asks for the password in the clear/)
  })

  test('ends with the signal where it never ends by itself', async () => {
    const controller = new AbortController()
    const server = await scriptedServer(async (peer) => {
      await peer.packet()
      peer.send(Buffer.from('S'))
      await peer.read(1)
      controller.abort(new Error('no longer wanted'))
    })
    const request = sessionRequest(server.address, { tls: prefer })
    await expect(startSession(request, controller.signal)).rejects.toThrow('no longer wanted')
    await server.peers[0]!.left()
    expect(server.peers).toHaveLength(1)
  })
})

describe('a real server', () => {
  const request = (database: string, tls: TlsSettings | undefined) => {
    const { host, port, roles } = anyServer()
    return sessionRequest({ host, port }, { tls, database, user: roles.trust.user })
  }

  test('that admits in the clear only is reached in the clear under prefer', async () => {
    const session = await startSession(request(anyServer().databases.plainOnly, prefer), never)
    session.socket.destroy()
    expect(session.encrypted).toBe(false)
  })

  test('that admits in the clear only is refused under require', async () => {
    const failure = startSession(request(anyServer().databases.plainOnly, require), never)
    await expect(failure).rejects.toMatchObject({ permanent: true, cause: { sqlState: '28000' } })
  })

  test('that admits over TLS only is refused under disable, and reached under prefer', async () => {
    const { tlsOnly } = anyServer().databases
    await expect(startSession(request(tlsOnly, undefined), never)).rejects.toMatchObject({ permanent: true })
    const session = await startSession(request(tlsOnly, prefer), never)
    session.socket.destroy()
    expect(session.encrypted).toBe(true)
  })

  test('that refuses both ways is told with both reasons', async () => {
    const { host, port, roles } = anyServer()
    const refusedTwice = sessionRequest(
      { host, port },
      { tls: prefer, user: roles.certificate.user, database: 'postgres' },
    )
    await expect(startSession(refusedTwice, never)).rejects.toThrow(
      /no encryption.*\(and over TLS: .*certificate/,
    )
  })

  test('is handed over without a listener of ours, and its session tells how to encrypt a cancel', async () => {
    const session = await startSession(request('postgres', prefer), never)
    const { socket } = session
    expect(['data', 'readable', 'secureConnect'].map((event) => socket.listenerCount(event))).toEqual([
      0, 0, 0,
    ])
    expect(socket.isPaused()).toBe(true)
    expect(session.tls).toMatchObject({ mandatory: true, check: 'none' })
    socket.destroy()
  })
})

test('keys and certificates stay out of util.inspect and JSON', () => {
  const { cert, key } = certificates().client
  const settings = new TlsSettings(true, 'none', { cert, key, passphrase: 'canary-55aa' })
  expect(inspect(settings, { depth: 9, showHidden: true }) + JSON.stringify(settings)).not.toMatch(
    /canary|BEGIN/,
  )
})
