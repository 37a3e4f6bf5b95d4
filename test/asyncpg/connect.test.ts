import { createPrivateKey, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type Connection,
  type ConnectOptions,
  connect,
  createPool,
  QueryTimeoutError,
} from '../../src/index.ts'
import { temporaryFolder } from '../connection/support/temporary-folder.ts'
import { adminQuery, certificates, freshDatabase, servers, type TestServer } from '../support/servers.ts'

const isEncrypted = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'

/** The DSN of the superuser by the name of the host, which is also on the certificate. */
function reach(server: TestServer, database: string, keywords: Record<string, string>): string {
  const query = new URLSearchParams(keywords).toString().replaceAll('+', '%20')
  return `postgres://postgres@localhost:${server.port}/${database}?${query}`
}

describe.for(servers())('a connection to PostgreSQL $major', (server) => {
  it('that is closed refuses every call, and a second close does nothing', async () => {
    const connection = await connect(await freshDatabase(server))
    await connection.close()
    await connection.close()
    await connection.terminate()
    const calls: Record<string, () => Promise<unknown>> = {
      fetch: () => connection.fetch('select 1'),
      fetchRow: () => connection.fetchRow('select 1'),
      fetchVal: () => connection.fetchVal('select 1'),
      query: () => connection.query('select 1'),
      execute: () => connection.execute('select 1'),
      executeMany: () => connection.executeMany('select $1::int', []),
      transaction: () => connection.transaction(() => {}),
    }
    for (const [name, call] of Object.entries(calls)) {
      await expect(call()).rejects.toMatchObject({
        code: 'ROCKPOOL_INTERFACE',
        outcome: 'not-sent',
        message: `cannot call Connection.${name}(): connection is closed`,
      })
    }
  })

  it("tells the server's version and settings", async () => {
    const connection = await connect(server.dsn)
    const number = Number(await connection.fetchVal("select current_setting('server_version_num')"))
    const { major, minor, micro } = connection.serverVersion
    expect([major, minor, micro]).toEqual([Math.floor(number / 10_000), 0, number % 10_000])
    expect(major).toBe(server.major)
    expect(connection.settings).toMatchObject({ client_encoding: 'UTF8', TimeZone: 'UTC' })
    await connection.close()
  })

  it('as a role that there is not is refused for good', async () => {
    await expect(connect(server.dsn, { user: '__nonexistent__' })).rejects.toMatchObject({
      code: 'ROCKPOOL_CONNECT',
      permanent: true,
      message: expect.stringContaining('role "__nonexistent__" does not exist'),
    })
  })

  it.for([
    'correct\u1680password',
    'common\u1806nothing',
    'ab\ufb01c',
    'ab\u007fc',
    'ab\u206ac',
    'ab\ue000c',
    'ab\ufdd0c',
    'ab\u2ff0c',
    'ab\u2000c',
    'ab\u{e0001}',
  ])('by SCRAM with the password %j, which SASLprep changes or forbids', async (password) => {
    const user = `prepared_${randomBytes(6).toString('hex')}`
    await adminQuery(
      server.dsn,
      `set password_encryption = 'scram-sha-256'; create role ${user} login in role needs_scram password '${password}'`,
    )
    const connection = await connect(server.dsn, { user, password, database: 'postgres' })
    expect(await connection.fetchVal('select current_user')).toBe(user)
    await connection.close()
    await expect(
      connect(server.dsn, { user, password: `${password}!`, database: 'postgres' }),
    ).rejects.toMatchObject({
      permanent: true,
    })
    await adminQuery(server.dsn, `drop role ${user}`)
  })

  it.for<[sslmode: string, database: 'tlsOnly' | 'plainOnly' | 'both', encrypted: boolean | 'refused']>([
    ['disable', 'tlsOnly', 'refused'],
    ['prefer', 'tlsOnly', true],
    ['require', 'tlsOnly', true],
    ['verify-ca', 'tlsOnly', true],
    ['verify-full', 'tlsOnly', true],
    ['disable', 'plainOnly', false],
    ['prefer', 'plainOnly', false],
    ['require', 'plainOnly', 'refused'],
    ['verify-full', 'plainOnly', 'refused'],
    ['disable', 'both', false],
    ['prefer', 'both', true],
  ])('by sslmode=%s to a database that takes %s: encrypted %s', async ([sslmode, kind, encrypted]) => {
    const database = kind === 'both' ? 'postgres' : server.databases[kind]
    const authority = sslmode.startsWith('verify') ? { sslrootcert: certificates().authority.certFile } : {}
    const opening = connect(reach(server, database, { sslmode, ...authority }))
    if (encrypted === 'refused') {
      await expect(opening).rejects.toMatchObject({ code: 'ROCKPOOL_CONNECT' })
      return
    }
    const connection = await opening
    expect(await connection.fetchVal(isEncrypted)).toBe(encrypted)
    await connection.close()
  })

  it('by verify-full without the authority of the server is refused, and says why', async () => {
    await expect(connect(reach(server, 'postgres', {}), { ssl: true })).rejects.toMatchObject({
      code: 'ROCKPOOL_CONNECT',
      permanent: true,
      message: expect.stringMatching(/certificate/i),
    })
  })

  it('whose versions of TLS are not those of the server is refused; one in common will do', async () => {
    const { port } = server
    const open = (minVersion: 'TLSv1.1' | 'TLSv1.2', maxVersion: 'TLSv1.1' | 'TLSv1.2') =>
      connect(server.dsn, {
        host: 'localhost',
        port,
        ssl: { mode: 'require', minVersion, maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' },
      })
    await expect(open('TLSv1.1', 'TLSv1.1')).rejects.toMatchObject({ code: 'ROCKPOOL_CONNECT' })
    const connection = await open('TLSv1.2', 'TLSv1.2')
    expect(await connection.fetchVal('select version from pg_stat_ssl where pid = pg_backend_pid()')).toBe(
      'TLSv1.2',
    )
    await connection.close()
  })

  it.for([
    ['over TLS', 'tlsOnly', 'require', true],
    ['in the clear', 'plainOnly', 'prefer', false],
  ] as const)(
    'R8: %s, in a pool: 40 time-outs cancel by the same way',
    async ([, database, ssl, encrypted]) => {
      const pool = await createPool(server.dsn, {
        database: server.databases[database],
        ssl,
        minSize: 5,
        maxSize: 10,
      })
      onTestFinished(() => pool.terminate())
      const work = async (connection: Connection) => {
        expect(await connection.fetchVal(isEncrypted)).toBe(encrypted)
        await expect(connection.execute('select pg_sleep(60)', [], { timeout: 100 })).rejects.toThrow(
          QueryTimeoutError,
        )
        return connection.fetchVal('select 43')
      }
      const answers = await Promise.all(Array.from({ length: 40 }, () => pool.use(work)))
      expect(new Set(answers)).toEqual(new Set([43]))
    },
  )

  it('over TLS writes many rows at once', async () => {
    const connection = await connect(server.dsn, { ssl: 'require' })
    await connection.execute('create temp table written (n int)')
    await connection.executeMany(
      'insert into written values ($1)',
      Array.from({ length: 5_000 }, (_, index) => [index + 1]),
    )
    expect(await connection.fetchVal('select sum(n)::int from written')).toBe(12_502_500)
    await connection.close()
  })
})

describe('a list of hosts', () => {
  it.for<[dsn: string, options: ConnectOptions, message: RegExp]>([
    ['postgres:///db?host=[::1]', {}, /^host: entry 1/],
    ['postgres://host1,host2,host3/db', { port: [111, 222] }, /^port: .*2.*3|^port: .*3.*2/],
  ])('of %s with %o, with brackets or too few ports, is refused by name', async ([dsn, options, message]) => {
    await expect(connect(dsn, options)).rejects.toMatchObject({
      code: 'ROCKPOOL_INTERFACE',
      message: expect.stringMatching(message),
    })
  })
})

describe('a client certificate logs in', () => {
  const [server] = servers() as [TestServer]
  const { user } = server.roles.certificate
  const where: ConnectOptions = { host: 'localhost', port: server.port, user, database: 'postgres' }
  const passphrase = 'canary-passphrase'

  const lockedKey = async () => {
    const path = join(await temporaryFolder(), 'locked.key')
    const key = createPrivateKey(certificates().client.key)
    await writeFile(path, key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }), {
      mode: 0o600,
    })
    return path
  }
  const userOf = async (opening: Promise<Connection>) => {
    const connection = await opening
    const name = await connection.fetchVal('select current_user')
    await connection.close()
    return name
  }

  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('by the options', async () => {
    const { authority, client } = certificates()
    const ssl = { ca: authority.cert, cert: client.cert, key: client.key }
    expect(await userOf(connect(undefined, { ...where, ssl }))).toBe(user)
  })

  it('by the DSN, its key locked or not', async () => {
    const { authority, client } = certificates()
    const files = { sslmode: 'verify-full', sslrootcert: authority.certFile, sslcert: client.certFile }
    const open = reach(server, 'postgres', { ...files, sslkey: client.keyFile, user })
    expect(await userOf(connect(open))).toBe(user)
    const locked = { ...files, sslkey: await lockedKey(), user }
    expect(await userOf(connect(reach(server, 'postgres', { ...locked, sslpassword: passphrase })))).toBe(
      user,
    )
    const failure = connect(reach(server, 'postgres', { ...locked, sslpassword: 'canary-wrong' }))
    await expect(failure).rejects.toThrow(/sslkey/)
    await expect(failure).rejects.not.toThrow(/canary/)
  })

  it('by the environment', async () => {
    const { authority, client } = certificates()
    vi.stubEnv('PGSSLMODE', 'verify-full')
    vi.stubEnv('PGSSLROOTCERT', authority.certFile)
    vi.stubEnv('PGSSLCERT', client.certFile)
    vi.stubEnv('PGSSLKEY', client.keyFile)
    expect(await userOf(connect(undefined, where))).toBe(user)
  })

  it('only where there is one', async () => {
    const ssl = { ca: certificates().authority.cert }
    await expect(connect(undefined, { ...where, ssl })).rejects.toMatchObject({
      permanent: true,
      message: expect.stringContaining('requires a valid client certificate'),
    })
  })
})
