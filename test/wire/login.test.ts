import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../src/errors.ts'
import { type SessionRequest, startSession } from '../../src/wire/startup.ts'
import { TlsSettings } from '../../src/wire/tls.ts'
import { adminQuery, certificates, servers, type TestRole } from '../support/servers.ts'
import { never, sessionRequest } from './support/scripted-server.ts'

const encrypted = new TlsSettings(true, 'none', {})

describe.each(servers())('PostgreSQL $major', (server) => {
  const { host, port, roles, socketDirectory } = server

  function request(role: TestRole, changes: Partial<SessionRequest> = {}): SessionRequest {
    const { user, password } = role
    return sessionRequest({ host, port }, { user, password, database: 'postgres', ...changes })
  }

  /** Logs in, and gives what pg_stat_ssl and pg_stat_activity say of the session. */
  async function login(wanted: SessionRequest): Promise<{ user: string; ssl: boolean; application: string }> {
    const session = await startSession(wanted, never)
    try {
      expect(session.parameters.get('server_version')).toMatch(new RegExp(`^${server.major}`))
      expect(session.transactionStatus).toBe('I')
      const rows = await adminQuery<{ user: string; ssl: boolean; application: string }>(
        server.dsn,
        `select usename as user, ssl, application_name as application
         from pg_stat_activity join pg_stat_ssl using (pid) where pid = $1`,
        [session.processId],
      )
      expect(rows[0]!.ssl).toBe(session.encrypted)
      return rows[0]!
    } finally {
      session.socket.destroy()
    }
  }

  const methods = ['trust', 'password', 'md5', 'scram'] as const

  test.each(methods)('%s logs in over TLS', async (method) => {
    expect(await login(request(roles[method], { tls: encrypted }))).toMatchObject({
      user: roles[method].user,
      ssl: true,
    })
  })

  test.each(methods)('%s logs in over a Unix-domain socket, which is never encrypted', async (method) => {
    const address = { host: socketDirectory, port }
    expect(await login(request(roles[method], { address, tls: encrypted }))).toMatchObject({ ssl: false })
  })

  test.each(['trust', 'md5', 'scram'] as const)('%s logs in without TLS', async (method) => {
    expect(await login(request(roles[method]))).toMatchObject({ ssl: false })
  })

  test('settings of the start-up hold', async () => {
    const serverSettings = { application_name: 'rockpool tests' }
    expect(await login(request(roles.trust, { serverSettings }))).toMatchObject({
      application: 'rockpool tests',
    })
  })

  test('a certificate logs in', async () => {
    const { authority, client } = certificates()
    const tls = new TlsSettings(true, 'chain-and-name', {
      ca: authority.cert,
      cert: client.cert,
      key: client.key,
    })
    expect(await login(request(roles.certificate, { tls, password: undefined }))).toMatchObject({ ssl: true })
  })

  test('SCRAM can be bound to the channel, and its binding required', async () => {
    const authentication = { requireAuth: ['scram-sha-256'], channelBinding: 'require' } as const
    await login(request(roles.scram, { tls: encrypted, authentication }))
  })

  test('SCRAM goes unbound where binding is switched off', async () => {
    const authentication = { requireAuth: undefined, channelBinding: 'disable' } as const
    await login(request(roles.scram, { tls: encrypted, authentication }))
  })

  test.each(['password', 'md5', 'scram'] as const)(
    'a wrong password fails for good with %s',
    async (method) => {
      const wrong = request(roles[method], { tls: encrypted, password: 'canary-91c2' })
      const failure = await startSession(wrong, never).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(ConnectError)
      expect(failure).toMatchObject({ permanent: true, cause: { sqlState: '28P01' } })
      expect(inspect(failure, { depth: 9 })).not.toContain('canary-91c2')
    },
  )

  test('an unknown database and an unknown setting fail for good', async () => {
    await expect(startSession(request(roles.trust, { database: 'nowhere' }), never)).rejects.toMatchObject({
      permanent: true,
      cause: { condition: 'invalid_catalog_name' },
    })
    const serverSettings = { no_such_setting: 'on' }
    await expect(startSession(request(roles.trust, { serverSettings }), never)).rejects.toMatchObject({
      permanent: true,
      cause: { condition: 'undefined_object' },
    })
  })

  test('a password outside ASCII logs in by SCRAM', async () => {
    const password = 'p\u00e4ssw\u00f6rt \u2168'
    await adminQuery(server.dsn, `drop role if exists umlaut`)
    await adminQuery(server.dsn, `create role umlaut login in role needs_scram password '${password}'`)
    await login(request({ ...roles.scram, user: 'umlaut', password }))
    // What SASLprep makes equal is equal to the server as well.
    await login(request({ ...roles.scram, user: 'umlaut', password: 'p\u00e4ssw\u00f6rt IX' }))
    await adminQuery(server.dsn, `drop role umlaut`)
  })
})
