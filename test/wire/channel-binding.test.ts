import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serverAccount } from '../../apps/tasks/src/embedded/account.ts'
import { Cluster } from '../../apps/tasks/src/embedded/cluster.ts'
import { type EstablishedSession, startSession } from '../../src/wire/startup.ts'
import { TlsSettings } from '../../src/wire/tls.ts'
import { adminQuery, certificates, ownServer, servers } from '../support/servers.ts'
import type { RunningServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'
import { saslOffer, welcome } from './support/backend.ts'
import { never, scriptedServer, sessionRequest } from './support/scripted-server.ts'

type Algorithm = webcrypto.RsaHashedKeyGenParams | (webcrypto.EcKeyGenParams & { hash: string })

const rsa = (name: string, hash: string): Algorithm => ({
  name,
  hash,
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
})

/** How certificates are signed: each hash that RFC 5929 tells apart, and a signature that names none. */
const algorithms: [what: string, algorithm: Algorithm, bound: boolean][] = [
  ['RSA with SHA-1', rsa('RSASSA-PKCS1-v1_5', 'SHA-1'), true],
  ['RSA with SHA-256', rsa('RSASSA-PKCS1-v1_5', 'SHA-256'), true],
  ['RSA with SHA-384', rsa('RSASSA-PKCS1-v1_5', 'SHA-384'), true],
  ['RSA with SHA-512', rsa('RSASSA-PKCS1-v1_5', 'SHA-512'), true],
  ['RSA-PSS with SHA-256', rsa('RSA-PSS', 'SHA-256'), true],
  ['RSA-PSS with SHA-512', rsa('RSA-PSS', 'SHA-512'), true],
  ['ECDSA with SHA-256', { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }, true],
  ['ECDSA with SHA-384', { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }, true],
  ['ECDSA with SHA-512', { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' }, true],
  ['Ed25519', { name: 'Ed25519' } as Algorithm, false],
]

async function selfSigned(algorithm: Algorithm): Promise<{ cert: string; key: string }> {
  const keys = (await crypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=localhost',
    notAfter: new Date(Date.now() + 86_400_000),
    keys,
    signingAlgorithm: { saltLength: 32, ...algorithm },
  })
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { cert: certificate.toString('pem'), key }
}

const encrypted = () => new TlsSettings(true, 'none', {})

describe.for(servers())('PostgreSQL $major binds SCRAM to a certificate', (like) => {
  let own: RunningServer
  beforeAll(async () => {
    own = await ownServer(like)
  })
  afterAll(() => own.stop())

  const login = (tls: TlsSettings, at = own.server): Promise<EstablishedSession> => {
    const { host, port, roles } = at
    const { user, password } = roles.scram
    const authentication = { requireAuth: ['scram-sha-256'], channelBinding: 'require' } as const
    const wanted = { user, password, database: 'postgres', tls, authentication }
    return startSession(sessionRequest({ host, port }, wanted), never)
  }

  /** Whether the server shows this certificate by now: only then is it trusted. */
  const presents = async (cert: string): Promise<boolean> => {
    const tls = new TlsSettings(true, 'chain', { ca: cert })
    const { host, port, roles } = own.server
    const wanted = { user: roles.trust.user, database: 'postgres', tls }
    return await startSession(sessionRequest({ host, port }, wanted), never).then(
      ({ socket }) => socket.destroy() !== undefined,
      () => false,
    )
  }

  const present = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    const { bin, data, dsn } = own.server
    const cluster = new Cluster({ bin, data, account: await serverAccount() })
    await cluster.write('server.crt', cert)
    await cluster.write('server.key', key)
    await adminQuery(dsn, 'select pg_reload_conf()')
    await until('the server presents its new certificate', () => presents(cert))
  }

  test.for(algorithms)('signed by %s', async ([_what, algorithm, bound]) => {
    const certificate = await selfSigned(algorithm)
    await present(certificate)
    // Checked or not: node:tls reads the certificate in another way when it checks.
    for (const tls of [encrypted(), new TlsSettings(true, 'chain', { ca: certificate.cert })]) {
      if (!bound) {
        await expect(login(tls)).rejects.toThrow(/channelBinding is required, but this connection cannot/)
        continue
      }
      const session = await login(tls)
      session.socket.destroy()
      expect(session.encrypted).toBe(true)
    }
  })

  test('that is checked by its chain and its name', async () => {
    const { authority } = certificates()
    const session = await login(new TlsSettings(true, 'chain-and-name', { ca: authority.cert }), like)
    session.socket.destroy()
    expect(session.encrypted).toBe(true)
  })
})

describe('channelBinding: require refuses a downgrade', () => {
  const attempt = async (offer: Buffer, answer?: Buffer) => {
    const sent: string[] = []
    const server = await scriptedServer(async (peer) => {
      await peer.encrypt(certificates().server)
      await peer.startup()
      peer.send(offer)
      sent.push((await peer.message()).toString())
      if (answer !== undefined) peer.send(answer)
    })
    const authentication = { requireAuth: undefined, channelBinding: 'require' } as const
    const wanted = { password: 'canary-51b0', tls: encrypted(), authentication }
    await expect(startSession(sessionRequest(server.address, wanted), never)).rejects.toMatchObject({
      code: 'ROCKPOOL_CONNECT',
      permanent: true,
    })
    return sent
  }

  test('to SCRAM without binding: nothing is sent', async () => {
    expect(await attempt(saslOffer('SCRAM-SHA-256'))).toEqual([])
  })

  test('to no authentication at all: nothing is sent', async () => {
    expect(await attempt(welcome)).toEqual([])
  })
})

test('where the server seems not to bind, it is told that the client could have', async () => {
  let first = ''
  const server = await scriptedServer(async (peer) => {
    await peer.encrypt(certificates().server)
    await peer.startup()
    peer.send(saslOffer('SCRAM-SHA-256'))
    first = (await peer.message()).toString()
    peer.socket.end()
  })
  const wanted = { password: 'canary-51b1', tls: encrypted() }
  await expect(startSession(sessionRequest(server.address, wanted), never)).rejects.toThrow()
  expect(first).toMatch(/^SCRAM-SHA-256\0.{4}y,,n=app,r=/s)
})
