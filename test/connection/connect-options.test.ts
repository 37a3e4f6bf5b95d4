import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  type ConnectOptions,
  connectOptionNames,
  describeTarget,
  type ResolvedConnectOptions,
  resolveConnectOptions,
} from '../../src/connection/connecting/connect-options.ts'
import { InterfaceError } from '../../src/errors.ts'
import { certificates } from '../support/servers.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const resolve = (dsn?: string, options: ConnectOptions = {}, env: NodeJS.ProcessEnv = {}) =>
  resolveConnectOptions(dsn, options, env)

const passwordOf = (resolved: ResolvedConnectOptions) => resolved.password(resolved.hosts[0]!)

describe('precedence', () => {
  const env = {
    PGHOST: 'env-host',
    PGPORT: '1111',
    PGUSER: 'env-user',
    PGPASSWORD: 'env-password',
    PGDATABASE: 'env-database',
    PGAPPNAME: 'env-app',
    PGCONNECT_TIMEOUT: '11',
    PGOPTIONS: '-c geqo=off',
    PGSSLMODE: 'disable',
  }
  const dsn =
    'postgres://dsn-user:dsn-password@dsn-host:2222/dsn-database?application_name=dsn-app&connect_timeout=22'

  test('without anything, the defaults hold', () => {
    const { username } = userInfo()
    const resolved = resolve()
    expect(resolved).toMatchObject({
      hosts: [{ host: 'localhost', port: 5432 }],
      user: username,
      database: username,
      serverSettings: {},
      connectTimeout: 10_000,
    })
    expect(resolved.tls).toMatchObject({ mandatory: false, check: 'none' })
  })

  test('the environment goes before the defaults', async () => {
    const resolved = resolve(undefined, {}, env)
    expect(resolved).toMatchObject({
      hosts: [{ host: 'env-host', port: 1111 }],
      user: 'env-user',
      database: 'env-database',
      serverSettings: { application_name: 'env-app', options: '-c geqo=off' },
      connectTimeout: 11_000,
    })
    expect(resolved.tls).toBeUndefined()
    expect(await passwordOf(resolved)).toBe('env-password')
  })

  test('the DSN goes before the environment', async () => {
    const resolved = resolve(dsn, {}, env)
    expect(resolved).toMatchObject({
      hosts: [{ host: 'dsn-host', port: 2222 }],
      user: 'dsn-user',
      database: 'dsn-database',
      serverSettings: { application_name: 'dsn-app', options: '-c geqo=off' },
      connectTimeout: 22_000,
    })
    expect(await passwordOf(resolved)).toBe('dsn-password')
  })

  test('the options go before the DSN', async () => {
    const resolved = resolve(
      dsn,
      {
        host: 'host',
        port: 3333,
        user: 'user',
        password: 'password',
        database: 'database',
        ssl: true,
        serverSettings: { application_name: 'app' },
        connectTimeout: '33s',
      },
      env,
    )
    expect(resolved).toMatchObject({
      hosts: [{ host: 'host', port: 3333 }],
      user: 'user',
      database: 'database',
      serverSettings: { application_name: 'app', options: '-c geqo=off' },
      connectTimeout: 33_000,
    })
    expect(resolved.tls).toMatchObject({ mandatory: true, check: 'chain-and-name' })
    expect(await passwordOf(resolved)).toBe('password')
  })

  test('an empty value of the DSN or the environment is none', () => {
    expect(
      resolve("host='' port='' user=app dbname=''", {}, { PGHOST: 'env-host', PGPORT: '' }),
    ).toMatchObject({
      hosts: [{ host: 'localhost', port: 5432 }],
      database: 'app',
    })
  })

  test('an option that is undefined is none', () => {
    expect(resolve('postgres://app@db', { user: undefined, host: undefined })).toMatchObject({ user: 'app' })
  })
})

describe('hosts and ports', () => {
  test.each<[dsn: string | undefined, options: ConnectOptions, hosts: string]>([
    ['postgres://a:1,b:2', {}, 'a:1 b:2'],
    ['postgres://a,b:2', {}, 'a:5432 b:2'],
    ['postgres://a,b?port=7', {}, 'a:7 b:7'],
    [undefined, { host: ['a', '/tmp'], port: [1, 2] }, 'a:1 /tmp:2'],
    [undefined, { host: ['a', 'b'], port: 7 }, 'a:7 b:7'],
    ['host=a,,::1', {}, 'a:5432 localhost:5432 ::1:5432'],
  ])('%s and %o give %s', (dsn, options, expected) => {
    const { hosts } = resolve(dsn, options)
    expect(hosts.map(({ host, port }) => `${host}:${port}`).join(' ')).toBe(expected)
  })
})

describe('a parameter of the DSN that libpq', () => {
  test('does not know is a setting for the server', () => {
    expect(resolve('postgres://db?search_path=tasks&my.flag=').serverSettings).toEqual({
      search_path: 'tasks',
      'my.flag': '',
    })
  })

  test('knows and rockpool does not is refused by its name', () => {
    expect(() => resolve('postgres://db?gssencmode=require')).toThrow(
      /^gssencmode: rockpool does not support/,
    )
    expect(() => resolve('postgres://db?service=x')).toThrow(/^service: /)
    expect(() => resolve('postgres://db?client_encoding=LATIN1')).toThrow(/^client_encoding: /)
  })

  test('knows and that asks for what is so anyway passes, and does not reach the server', () => {
    expect(resolve('postgres://db?gssencmode=disable&client_encoding=UTF8').serverSettings).toEqual({})
  })
})

describe('R18: what is wrong is refused by name', () => {
  test.each<[options: Record<string, unknown>, says: RegExp]>([
    [{ host: 5 }, /^host: entry 1 /],
    [{ host: 'a,b' }, /^host: entry 1 .*as an array/],
    [{ host: ['a', 'b c'] }, /^host: entry 2 /],
    [{ host: [] }, /^host: the list is empty/],
    [{ host: 'relative/path' }, /^host: entry 1 /],
    [{ port: 0 }, /^port: entry 1 is not a whole number from 1 to 65535/],
    [{ port: '5432' }, /^port: entry 1 /],
    [{ port: 65_536 }, /^port: entry 1 /],
    [{ host: ['a', 'b', 'c'], port: [1, 2] }, /^port: 2 ports for 3 hosts/],
    [{ user: '' }, /^user: /],
    [{ user: 'a\0b' }, /^user: /],
    [{ database: 7 }, /^database: /],
    [{ password: 7 }, /^password: /],
    [{ password: 'canary\0' }, /^password: /],
    [{ passfile: '' }, /^passfile: /],
    [{ ssl: 'allow' }, /^ssl: "allow" is none of disable, prefer, require, verify-ca, verify-full/],
    [{ ssl: 1 }, /^ssl: /],
    [{ ssl: { mode: 'on' } }, /^ssl\.mode: /],
    [{ ssl: { mode: 'require', rejectUnauthorized: false } }, /^ssl: give mode or rejectUnauthorized/],
    [{ ssl: { key: 'canary' } }, /^ssl: node:tls cannot use/],
    [{ serverSettings: 'x' }, /^serverSettings: /],
    [{ serverSettings: { statement_timeout: 5 } }, /^serverSettings\.statement_timeout: /],
    [{ serverSettings: { user: 'x' } }, /^serverSettings: "user" is not a setting/],
    [{ serverSettings: { '': 'x' } }, /^serverSettings: "" is not a setting/],
    [
      { serverSettings: { Client_Encoding: 'LATIN1' } },
      /^serverSettings\.client_encoding: it is always UTF8/,
    ],
    [{ connectTimeout: -1 }, /^connectTimeout: -1 is not a duration/],
    [{ connectTimeout: '10 minutes' }, /^connectTimeout: "10 minutes"/],
    [{ targetSessionAttrs: 'master' }, /^targetSessionAttrs: "master" is none of any, primary, standby/],
    [{ loadBalanceHosts: true }, /^loadBalanceHosts: true is none of disable, random/],
    [{ keepAlive: '1 minute' }, /^keepAlive: "1 minute" is not a duration/],
    [{ sslNegotiation: 'tls' }, /^sslNegotiation: "tls" is none of postgres, direct/],
    [{ sslNegotiation: 'direct' }, /^sslNegotiation: direct leaves the server no way to refuse TLS/],
    [{ sslNegotiation: 'direct', ssl: false }, /^sslNegotiation: direct/],
    [{ requireAuth: 'gss' }, /^requireAuth: "gss" is none of none, password, md5, scram-sha-256/],
    [{ channelBinding: true }, /^channelBinding: true is none of/],
  ])('%o', (options, says) => {
    const attempt = () => resolve(undefined, options as ConnectOptions)
    expect(attempt).toThrow(InterfaceError)
    expect(attempt).toThrow(says)
    expect(attempt).not.toThrow(/canary/)
  })

  test.each<[dsn: string, says: RegExp]>([
    ['host=db port=canary', /^port: entry 1/],
    ['postgres://db:70000', /^port: entry 1/],
    ['host=can@ary', /^host: entry 1/],
    ['postgres://db?connect_timeout=soon', /^connect_timeout: give a whole number of seconds/],
    ['postgres://db?sslmode=allow', /^sslmode: "allow" is none of/],
    [
      'postgres://db?sslrootcert=/nowhere/root.crt',
      /^sslrootcert: the file \/nowhere\/root.crt cannot be read \(ENOENT\)/,
    ],
    ['postgres://db?sslrootcert=system&sslmode=require', /^sslmode: require is too weak/],
    ['postgres://db?target_session_attrs=replica', /^targetSessionAttrs: "replica" is none of/],
    ['postgres://db?load_balance_hosts=yes', /^loadBalanceHosts: "yes" is none of/],
    ['postgres://db?sslmode=prefer&sslnegotiation=direct', /^sslNegotiation: direct/],
    ['postgres://db?sslcertmode=require&sslmode=require', /^sslcertmode: node:tls cannot tell/],
    ['postgres://db?ssl_min_protocol_version=SSLv3', /^ssl_min_protocol_version: "SSLv3" is none of TLSv1/],
    ['postgres://db?hostaddr=db.example', /^hostaddr: entry 1 is not an IP address/],
    ['postgres://a,b?hostaddr=10.0.0.1', /^hostaddr: 1 addresses for 2 hosts/],
    ['postgres://db?keepalives=yes', /^keepalives: give 1 or 0/],
    ['postgres://db?keepalives_idle=1min', /^keepalives_idle: give a whole number of seconds/],
    ['postgres://db?keepalives_count=many', /^keepalives_count: rockpool does not support/],
    ['postgres://db?oauth_client_secret=canary', /^oauth_client_secret: rockpool does not support/],
    ['postgres://db?scram_client_key=canary', /^scram_client_key: rockpool does not support/],
    ['postgres://db?require_auth=!password', /^requireAuth: "!password" is none of/],
    ['postgres://db?search_path=a%00b', /^search_path: /],
  ])('%s', (dsn, says) => {
    expect(() => resolve(dsn)).toThrow(says)
    expect(() => resolve(dsn)).not.toThrow(/can.?ary/)
  })

  test('a DSN that is no string', () => {
    expect(() => resolve(7 as unknown as string)).toThrow(/^dsn: give a string/)
  })
})

describe('encryption', () => {
  const ca = () => certificates().authority
  test.each<
    [ssl: NonNullable<ConnectOptions['ssl']>, mandatory: boolean | undefined, check: string | undefined]
  >([
    [false, undefined, undefined],
    ['disable', undefined, undefined],
    ['prefer', false, 'none'],
    ['require', true, 'none'],
    ['verify-ca', true, 'chain'],
    ['verify-full', true, 'chain-and-name'],
    [true, true, 'chain-and-name'],
    [{}, true, 'chain-and-name'],
    [{ rejectUnauthorized: false }, true, 'none'],
    [{ rejectUnauthorized: true }, true, 'chain-and-name'],
    [{ mode: 'require' }, true, 'none'],
    [{ mode: 'disable' }, undefined, undefined],
  ])('ssl: %o', (ssl, mandatory, check) => {
    const { tls } = resolve(undefined, { ssl })
    expect([tls?.mandatory, tls?.check]).toEqual([mandatory, check])
  })

  test('require with an authority is the same as verify-ca, as libpq has it', () => {
    expect(resolve(undefined, { ssl: { mode: 'require', ca: ca().cert } }).tls?.check).toBe('chain')
    expect(resolve(`postgres://db?sslmode=require&sslrootcert=${ca().certFile}`).tls?.check).toBe('chain')
  })

  test('sslrootcert=system means verify-full with the authorities of Node', () => {
    expect(resolve('postgres://db?sslrootcert=system').tls).toMatchObject({
      mandatory: true,
      check: 'chain-and-name',
    })
  })

  test('a key that does not fit its certificate is refused before anything is opened', () => {
    const { client, server } = certificates()
    const dsn = `postgres://db?sslmode=require&sslcert=${client.certFile}&sslkey=${server.keyFile}`
    expect(() => resolve(dsn)).toThrow(
      /^sslrootcert, sslcrl, sslcert, sslkey or sslpassword: node:tls cannot use the certificates or the key/,
    )
  })
})

describe('the time for a connect', () => {
  test.each([
    ['postgres://db?connect_timeout=3', undefined, 3_000],
    ['postgres://db?connect_timeout=0', undefined, 0],
    ['postgres://db?connect_timeout=-1', undefined, 0],
    ['postgres://db?connect_timeout=3', 0, 0],
    ['postgres://db', '1min', 60_000],
  ])('%s with the option %s is %d ms', (dsn, connectTimeout, ms) => {
    expect(resolve(dsn, { connectTimeout }).connectTimeout).toBe(ms)
  })
})

describe('what libpq calls require_auth and channel_binding', () => {
  test('come from the options, the DSN and the environment', () => {
    expect(
      resolve('postgres://db?require_auth=scram-sha-256,md5&channel_binding=require').authentication,
    ).toEqual({
      requireAuth: ['scram-sha-256', 'md5'],
      channelBinding: 'require',
    })
    expect(resolve(undefined, { requireAuth: 'none', channelBinding: 'disable' }).authentication).toEqual({
      requireAuth: ['none'],
      channelBinding: 'disable',
    })
    expect(resolve(undefined, {}, { PGREQUIREAUTH: 'md5' }).authentication).toEqual({
      requireAuth: ['md5'],
      channelBinding: 'prefer',
    })
  })
})

describe('the password', () => {
  test('R12: a function is asked at each connect, and may be asynchronous', async () => {
    let asked = 0
    const resolved = resolve('postgres://app:dsn@db', { password: async () => `token ${++asked}` })
    expect(await passwordOf(resolved)).toBe('token 1')
    expect(await passwordOf(resolved)).toBe('token 2')
  })

  test('a function that fails is told with its error as the cause, and may be asked again', async () => {
    const cause = new Error('no token today')
    const resolved = resolve(undefined, {
      password: () => {
        throw cause
      },
    })
    await expect(passwordOf(resolved)).rejects.toMatchObject({
      code: 'ROCKPOOL_CONNECT',
      permanent: false,
      cause,
    })
  })

  test.each([undefined, null, 7, 'canary\0'])(
    'a function that gives %j is refused for good',
    async (given) => {
      const resolved = resolve(undefined, { password: () => given as string })
      const asking = passwordOf(resolved)
      await expect(asking).rejects.toMatchObject({
        permanent: true,
        message: expect.not.stringContaining('canary'),
      })
    },
  )

  test('comes from the passfile where nothing else gives one', async () => {
    const passfile = `${await temporaryFolder()}/passes`
    await writeFile(passfile, 'db:*:tasks:app:from the file\n', { mode: 0o600 })
    expect(await passwordOf(resolve('postgres://app@db/tasks', { passfile }))).toBe('from the file')
    expect(await passwordOf(resolve('postgres://app@db/tasks', {}, { PGPASSFILE: passfile }))).toBe(
      'from the file',
    )
    expect(await passwordOf(resolve('postgres://app:dsn@db/tasks', { passfile }))).toBe('dsn')
    expect(await passwordOf(resolve('postgres://other@db/tasks', { passfile }))).toBeUndefined()
  })

  test('is not shown by util.inspect, JSON or the description', async () => {
    const { cert, key } = certificates().client
    const resolved = resolve('postgres://app:canary-e5@db/tasks', {
      ssl: { cert, key, passphrase: 'canary-e6' },
    })
    const shown = inspect(resolved, { depth: 9, showHidden: true }) + JSON.stringify(resolved)
    expect(shown + describeTarget(resolved)).not.toMatch(/canary|BEGIN/)
    expect(Object.keys({ ...resolved })).not.toContain('password')
  })
})

test.each([
  ['postgres://app:x@db/tasks', 'postgres://app@db:5432/tasks'],
  ['postgres://app@a:1,[::1]:2/tasks', 'postgres://app@a:1,[::1]:2/tasks'],
  ["host=/tmp user='my user' dbname=a/b", 'postgres://my%20user@%2Ftmp:5432/a%2Fb'],
])('the target of %s is described as %s, which is a DSN again', (dsn, description) => {
  const resolved = resolve(dsn)
  expect(describeTarget(resolved)).toBe(description)
  expect(describeTarget(resolve(description))).toBe(description)
})

test('each option has its line in docs/connecting.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/connecting.md'), 'utf8')
  for (const name of connectOptionNames) expect(page).toMatch(new RegExp(`^\\| \`${name}\``, 'm'))
})
