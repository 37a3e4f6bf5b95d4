import 'reflect-metadata'
import { createPrivateKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { PemConverter, X509Certificate, X509CrlGenerator } from '@peculiar/x509'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type ConnectOptions,
  resolveConnectOptions,
} from '../../src/connection/connecting/connect-options.ts'
import { establish } from '../../src/connection/connecting/hosts.ts'
import type { Certificate } from '../support/certificates.ts'
import { certificates } from '../support/servers.ts'
import { welcome } from '../wire/support/backend.ts'
import { never, scriptedServer } from '../wire/support/scripted-server.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const resolve = (dsn?: string, env: NodeJS.ProcessEnv = {}, options: ConnectOptions = {}) =>
  resolveConnectOptions(dsn, options, env)

describe('an environment variable of libpq', () => {
  test.each<[variable: string, value: string, says: RegExp]>([
    ['PGSERVICE', 'main', /^service: .*leave it out, and PGSERVICE unset$/],
    ['PGSERVICEFILE', '/etc/x', /^servicefile: /],
    ['PGREQUIREPEER', 'postgres', /^requirepeer: .*PGREQUIREPEER unset$/],
    ['PGREQUIRESSL', '1', /^requiressl: /],
    ['PGSSLCRLDIR', '/crl', /^sslcrldir: /],
    ['PGSSLSNI', '0', /^sslsni: /],
    ['PGSSLCOMPRESSION', '1', /^sslcompression: /],
    ['PGSSLCERTMODE', 'require', /^sslcertmode: /],
    ['PGGSSENCMODE', 'require', /^gssencmode: /],
    ['PGMINPROTOCOLVERSION', '3.2', /^min_protocol_version: /],
    ['PGTARGETSESSIONATTRS', 'master', /^targetSessionAttrs: "master" is none of/],
    ['PGSSLMINPROTOCOLVERSION', 'SSLv3', /^ssl_min_protocol_version: /],
  ])('that asks for what is not done is refused, not overlooked: %s=%s', (variable, value, says) => {
    expect(() => resolve(undefined, { [variable]: value, PGSSLMODE: 'require' })).toThrow(says)
  })

  test.each<[variable: string, value: string]>([
    ['PGSSLSNI', '1'],
    ['PGSSLCOMPRESSION', '0'],
    ['PGREQUIRESSL', '0'],
    ['PGGSSENCMODE', 'prefer'],
    ['PGMINPROTOCOLVERSION', '3.0'],
    ['PGMAXPROTOCOLVERSION', 'latest'],
    ['PGCLIENTENCODING', 'LATIN1'],
    ['PGKRBSRVNAME', 'postgres'],
    ['PGSYSCONFDIR', '/etc'],
    ['PGSERVICE', ''],
  ])('that asks for nothing that is not so anyway passes: %s=%s', (variable, value) => {
    expect(resolve(undefined, { [variable]: value }).serverSettings).toEqual({})
  })

  test('for the session goes to the server, and the DSN goes before it', () => {
    const env = { PGTZ: 'Asia/Tokyo', PGDATESTYLE: 'ISO, DMY', PGGEQO: 'off', PGAPPNAME: 'env' }
    expect(resolve(undefined, env).serverSettings).toEqual({
      timezone: 'Asia/Tokyo',
      datestyle: 'ISO, DMY',
      geqo: 'off',
      application_name: 'env',
    })
    expect(resolve('postgres://db?timezone=UTC', env).serverSettings).toMatchObject({ timezone: 'UTC' })
  })
})

describe('fallback_application_name', () => {
  test.each([
    ['postgres://db?fallback_application_name=tool', {}, 'tool'],
    ['postgres://db?fallback_application_name=tool&application_name=mine', {}, 'mine'],
    ['postgres://db?fallback_application_name=tool', { PGAPPNAME: 'env' }, 'env'],
  ])('%s with %o is %s', (dsn, env, name) => {
    expect(resolve(dsn, env).serverSettings).toEqual({ application_name: name })
  })
})

describe('hostaddr', () => {
  const hosts = (dsn: string, options: ConnectOptions = {}) => resolve(dsn, {}, options).hosts

  test('is dialled in the place of the name, which the certificate is still checked against', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.encrypt(certificates().server)
      await peer.startup()
      peer.send(welcome)
    })
    const { port } = server.address
    const dsn = `host=localhost hostaddr=127.0.0.1 port=${port} user=app sslmode=verify-full sslrootcert=${certificates().authority.certFile}`
    const session = await establish(resolve(dsn), never)
    session.socket.destroy()
    expect(session).toMatchObject({ encrypted: true, address: { host: 'localhost', ip: '127.0.0.1' } })
    const elsewhere = dsn.replace('host=localhost', 'host=elsewhere.example')
    await expect(establish(resolve(elsewhere), never)).rejects.toThrow(
      /does not match certificate's altnames/,
    )
  })

  test('is the host where none is named', () => {
    expect(hosts('hostaddr=10.0.0.1,::1')).toEqual([
      { host: '10.0.0.1', port: 5432, ip: '10.0.0.1' },
      { host: '::1', port: 5432, ip: '::1' },
    ])
  })

  test('is for the host at its place in the list; an empty one leaves the name to be looked up', () => {
    expect(hosts('host=a,b hostaddr=,10.0.0.2')).toEqual([
      { host: 'a', port: 5432 },
      { host: 'b', port: 5432, ip: '10.0.0.2' },
    ])
  })

  test('is not for the hosts that the option names', () => {
    expect(hosts('hostaddr=10.0.0.1', { host: 'db' })).toEqual([{ host: 'db', port: 5432 }])
  })
})

describe('TCP keep-alive', () => {
  test.each<[dsn: string | undefined, option: ConnectOptions['keepAlive'], ms: number]>([
    [undefined, undefined, 60_000],
    [undefined, '5min', 300_000],
    [undefined, 0, 0],
    ['postgres://db?keepalives=0', undefined, 0],
    ['postgres://db?keepalives_idle=30', undefined, 30_000],
    ['postgres://db?keepalives_idle=0', undefined, 60_000],
    ['postgres://db?keepalives=0&keepalives_idle=30', undefined, 0],
    ['postgres://db?keepalives=0', '10s', 10_000],
    ['postgres://db?keepalives_interval=5&keepalives_count=3', undefined, 60_000],
  ])('%s with the option %s probes after %d ms', (dsn, keepAlive, ms) => {
    expect(resolve(dsn, {}, { keepAlive }).keepAlive).toBe(ms)
  })

  test.each([
    ['30s', { keepAlive: true, keepAliveInitialDelay: 30_000 }],
    [0, { keepAlive: false }],
  ])('of %s is what the socket is opened with', async (keepAlive, expected) => {
    const server = await scriptedServer(async (peer) => {
      await peer.startup()
      peer.send(welcome)
    })
    const dial = vi.spyOn(net, 'connect')
    onTestFinished(() => dial.mockRestore())
    const { host, port } = server.address
    const options: ConnectOptions = { host, port, user: 'app', ssl: false, keepAlive }
    const { socket } = await establish(resolve(undefined, {}, options), never)
    socket.destroy()
    expect(dial).toHaveBeenCalledWith(expect.objectContaining(expected))
  })
})

describe('TLS by keywords', () => {
  const { authority, client, server } = certificates()

  test('the versions of TLS are bounded by ssl_min_protocol_version and ssl_max_protocol_version', async () => {
    const peers = await scriptedServer(async (peer) => {
      await peer.encrypt({ cert: server.cert, key: server.key, maxVersion: 'TLSv1.2' })
      await peer.startup()
      peer.send(welcome)
    })
    const dsn = `postgres://app@127.0.0.1:${peers.address.port}/x?sslmode=require`
    const { socket } = await establish(resolve(`${dsn}&ssl_max_protocol_version=TLSv1.2`), never)
    socket.destroy()
    await expect(establish(resolve(`${dsn}&ssl_min_protocol_version=TLSv1.3`), never)).rejects.toThrow(
      /the TLS handshake failed/,
    )
  })

  test('sslcertmode=disable keeps the client certificate to itself', async () => {
    const shown: boolean[] = []
    const asks = await scriptedServer(async (peer) => {
      await peer.encrypt({ ...server, requestCert: true, rejectUnauthorized: false, ca: authority.cert })
      await peer.startup()
      shown.push('subject' in (peer.socket as TLSSocket).getPeerCertificate())
      peer.send(welcome)
    })
    const dsn =
      `postgres://app@127.0.0.1:${asks.address.port}/x?sslmode=require` +
      `&sslcert=${client.certFile}&sslkey=${client.keyFile}`
    for (const mode of ['', '&sslcertmode=disable']) {
      const { socket } = await establish(resolve(dsn + mode), never)
      socket.destroy()
    }
    expect(shown).toEqual([true, false])
  })

  test('sslcrl refuses a certificate that its authority has revoked, and no other', async () => {
    const peers = await scriptedServer(async (peer) => {
      await peer.encrypt(server)
      await peer.startup()
      peer.send(welcome)
    })
    const folder = await temporaryFolder()
    const { serialNumber } = new X509Certificate(server.cert)
    for (const [name, revoked] of [
      ['none.crl', []],
      ['this.crl', [serialNumber]],
    ] as const) {
      await writeFile(join(folder, name), await revocationList(authority, revoked))
    }
    const dsn =
      `postgres://app@localhost:${peers.address.port}/x?hostaddr=127.0.0.1` +
      `&sslmode=verify-full&sslrootcert=${authority.certFile}&sslcrl=${folder}`
    const { socket } = await establish(resolve(`${dsn}/none.crl`), never)
    socket.destroy()
    await expect(establish(resolve(`${dsn}/this.crl`), never)).rejects.toThrow(/certificate revoked/)
  })

  test('sslpassword opens a key, and a wrong one is not shown', async () => {
    const folder = await temporaryFolder()
    const keyFile = join(folder, 'locked.key')
    const locked = {
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'right-canary',
    } as const
    await writeFile(keyFile, createPrivateKey(client.key).export(locked))
    const dsn = `postgres://db?sslmode=require&sslcert=${client.certFile}&sslkey=${keyFile}&sslpassword=`
    expect(resolve(`${dsn}right-canary`).tls?.hasMaterial).toBe(true)
    const wrong = () => resolve(`${dsn}wrong-canary`)
    expect(wrong).toThrow(/^sslrootcert, .*sslpassword: node:tls cannot use/)
    expect(wrong).not.toThrow(/canary/)
  })
})

async function revocationList(authority: Certificate, serialNumbers: readonly string[]): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const pkcs8 = PemConverter.decodeFirst(authority.key)
  const list = await X509CrlGenerator.create({
    issuer: new X509Certificate(authority.cert).subject,
    thisUpdate: new Date(Date.now() - 60_000),
    nextUpdate: new Date(Date.now() + 3_600_000),
    entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: new Date() })),
    signingAlgorithm: algorithm,
    signingKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
  })
  return PemConverter.encode(list.rawData, 'X509 CRL')
}
