import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, createPool, Pool, type PoolOptions } from '../../src/index.ts'
import { temporaryFolder } from '../connection/support/temporary-folder.ts'
import { anyServer, certificates, freshDatabase, servers, sleepers } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { authentication, report, saslContinue, saslOffer, welcome } from '../wire/support/backend.ts'
import { type Peer, scriptedServer } from '../wire/support/scripted-server.ts'

/** The password of every test here: it must not be seen anywhere. */
const canary = 'canary-b7e151628aed'
const disguises = [
  canary,
  encodeURIComponent(canary),
  Buffer.from(canary).toString('base64').slice(0, 20),
  Buffer.from(canary).toString('hex'),
]

/** Every way in which a thing may come to be read. */
function shown(thing: unknown): string {
  const whole = {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    getters: true,
    maxArrayLength: null,
  } as const
  const texts = [inspect(thing, whole), String(thing), json(thing)]
  if (thing instanceof Error) texts.push(thing.message, thing.stack ?? '', shown(thing.cause ?? ''))
  if (thing instanceof AggregateError) texts.push(...thing.errors.map(shown))
  return texts.join('\n')
}

/** What of it goes into JSON; Node's own certificates, in the causes of errors, run in circles. */
function json(thing: unknown): string {
  const seen = new Set<unknown>()
  const once = (_: string, value: unknown) => {
    if (seen.has(value)) return undefined
    if (typeof value === 'object') seen.add(value)
    return value
  }
  return JSON.stringify(thing, once) ?? ''
}

function expectHidden(...things: unknown[]): void {
  const text = things.map(shown).join('\n')
  for (const disguise of disguises) expect(text).not.toContain(disguise)
}

/** The error of a call that must fail; it is checked on the way. */
async function failure(attempt: () => unknown): Promise<Error> {
  const error = await Promise.resolve()
    .then(attempt)
    .then(
      (value) => expect.fail(`it must fail, and gave ${inspect(value)}`),
      (reason: unknown) => reason as Error,
    )
  expect(error).toMatchObject({ code: expect.stringMatching(/^ROCKPOOL_/) })
  expectHidden(error)
  return error
}

/** What Node is told by `process.emitWarning` until the test ends. */
function heardWarnings(): Error[] {
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  onTestFinished(() => void process.off('warning', hear))
  return warnings
}

test('the eye of these tests sees: a thing that shows the password is found', () => {
  expect(() => expectHidden(new Error('no', { cause: { deep: [{ password: canary }] } }))).toThrow()
  expect(() => expectHidden(Object.defineProperty({}, 'hidden', { value: canary }))).toThrow()
})

describe('the password is in no error about', () => {
  test.for([
    `postgres://app:${canary}/x@db:5432/tasks`,
    `postgres://app:${canary}?x@db/tasks`,
    `postgres://app:${canary}%zz@db`,
    `postgres://app:${canary}@[::1:5432/x`,
    `postgres://app:${canary}@db:port/x`,
    `postgres://app:${canary}@db:99999/x`,
    `postgres://app:${canary}@a,b,c:1:2/x`,
    `postgres://app:${canary}@db/x?sslmode=strong`,
    `postgres://app:${canary}@db/x?target_session_attrs=master`,
    `postgres://app:${canary}@db/x?connect_timeout=${canary}`,
    `postgres://app:${canary}@db/x?oauth_client_secret=${canary}`,
    `postgres://app:${canary}@db/x?${canary}`,
    `postgres://app:${canary}`,
    `mysql://app:${canary}@db`,
    `postgres:app:${canary}@db`,
    `host=db password='${canary}`,
    `host=db password=${canary} port=x`,
    `host=db ${canary}`,
    `host=db password='${canary}'s`,
    canary,
  ])('the DSN %#', async (dsn) => {
    await failure(() => connect(dsn))
    await failure(() => createPool(dsn))
    await failure(() => new Pool(dsn))
  })

  test.for<[what: string, options: Record<string, unknown>]>([
    ['an unknown option', { pasword: canary }],
    ['a password that is none', { password: `${canary}\0` }],
    ['a password in an object', { password: { value: canary } }],
    ['a key that is none', { password: canary, ssl: { key: canary, passphrase: canary } }],
    ['a bad host', { host: `app:${canary}@db` }],
    ['a bad setting', { password: canary, serverSettings: { search_path: 5 } }],
    ['a bad size', { password: canary, minSize: 9, maxSize: 1 }],
    ['a bad duration', { password: canary, commandTimeout: 'long' }],
    ['a password function that gives none', { port: 1, password: () => `${canary}\0`, minSize: 1 }],
  ])('%s', async ([_what, options]) => {
    await failure(() => createPool(undefined, options))
  })

  test('a passfile that others may read, nor in its warning', async () => {
    const warnings = heardWarnings()
    const passfile = join(await temporaryFolder(), 'passes')
    await writeFile(passfile, `*:*:*:*:${canary}\n`)
    await chmod(passfile, 0o644)
    const { host, port, roles } = anyServer()
    const options = { host, port, user: roles.scram.user, database: 'postgres', passfile }
    await failure(() => connect(undefined, options))
    await until('the warning is heard', () => warnings.length > 0)
    expectHidden(...warnings)
  })

  test('a server that cannot be reached', async () => {
    await failure(() => connect(`postgres://app:${canary}@127.0.0.1:1/x`))
    await failure(() =>
      connect(`postgres://app:${canary}@127.0.0.1:1,127.0.0.1:2/x?target_session_attrs=primary`),
    )
    await failure(() => connect(`postgres://app:${canary}@%2Fnowhere/x`))
    await failure(() => connect(`postgres://app:${canary}@nowhere.invalid/x`))
  })
})

describe('the password is in no error of a server that', () => {
  const asking =
    (...requests: Buffer[]) =>
    async (peer: Peer) => {
      await peer.startup()
      for (const request of requests) {
        peer.send(request)
        await peer.message()
      }
      peer.socket.end(report('E', '28P01', 'password authentication failed'))
    }
  const scripts: [what: string, script: (peer: Peer) => unknown, options?: PoolOptions][] = [
    ['says nothing', (peer) => peer.startup(), { connectTimeout: 50 }],
    ['closes at once', (peer) => peer.socket.end()],
    ['speaks HTTP', (peer) => peer.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['refuses the md5 password', asking(authentication(5, Buffer.from('salt')))],
    ['refuses the cleartext password', asking(authentication(3)), { requireAuth: 'password' }],
    ['asks for the cleartext password', asking(authentication(3))],
    [
      'answers SCRAM with a foreign nonce',
      asking(saslOffer('SCRAM-SHA-256'), saslContinue('r=x,s=W22Z,i=1')),
    ],
    ['offers unknown mechanisms', asking(saslOffer('OAUTHBEARER'))],
    ['asks for Kerberos', asking(authentication(7))],
    ['asks for less than is required', asking(welcome), { requireAuth: 'scram-sha-256' }],
    ['cannot bind', asking(saslOffer('SCRAM-SHA-256')), { channelBinding: 'require' }],
    ['refuses TLS', (peer) => peer.send(Buffer.from('N')), { ssl: true }],
    ['breaks the handshake', (peer) => peer.send(Buffer.from('S'), welcome), { ssl: true }],
  ]
  test.for(scripts)('%s', async ([_what, script, options]) => {
    const { address } = await scriptedServer(script)
    const dsn = `postgres://app:${canary}@127.0.0.1:${address.port}/x`
    await failure(() => connect(dsn, { ssl: false, ...options }))
    const pool = new Pool(dsn, { ssl: false, minSize: 0, acquireTimeout: 200, ...options })
    const events: unknown[] = []
    pool.on('connectFailed', (event) => events.push(event))
    await failure(() => pool.fetchVal('select 1'))
    await until('the pool tells of its connect', () => events.length > 0)
    expectHidden(pool, pool.stats(), pool.target, ...events)
    await pool.terminate()
  })
})

describe('under verify-full, the password never reaches, nor is it told of,', () => {
  const bad: [what: string, script: (peer: Peer, received: Buffer[]) => unknown][] = [
    ...(['wrongHost', 'unknownAuthority', 'expired', 'selfSigned'] as const).map(
      (name): [string, (peer: Peer, received: Buffer[]) => unknown] => [
        `a server whose certificate is: ${name}`,
        async (peer, received) => {
          await peer.encrypt(certificates()[name])
          peer.socket.on('data', (chunk) => received.push(chunk))
        },
      ],
    ),
    ['a server that refuses encryption', (peer) => peer.send(Buffer.from('N'))],
    [
      'a server that answers the request for TLS with an error',
      (peer) => peer.send(report('E', '28000', 'no')),
    ],
    ['bytes before the handshake', (peer) => peer.send(Buffer.from('S'), welcome)],
    ['bytes behind a refusal', (peer) => peer.send(Buffer.from('N'), authentication(3))],
  ]
  test.for(bad)('%s', async ([_what, script]) => {
    const received: Buffer[] = []
    const server = await scriptedServer((peer) => {
      peer.socket.on('data', (chunk) => received.push(chunk))
      return script(peer, received)
    })
    const ca = certificates().authority.certFile
    const dsn = `postgres://app:${canary}@localhost:${server.address.port}/x?hostaddr=127.0.0.1`
    const error = await failure(() => connect(`${dsn}&sslmode=verify-full&sslrootcert=${ca}`))
    expect(error).toMatchObject({ code: 'ROCKPOOL_CONNECT' })
    expect(server.peers).toHaveLength(1)
    await server.peers[0]!.left()
    expectHidden(Buffer.concat(received).toString('latin1'))
  })
})

describe.for(servers())('PostgreSQL $major: the password is nowhere', (server) => {
  test.for(['password', 'md5', 'scram'] as const)('when it is wrong, by %s', async (method) => {
    const dsn = `postgres://${server.roles[method].user}:${canary}@127.0.0.1:${server.port}/postgres`
    const error = await failure(() => createPool(dsn, { minSize: 1 }))
    expect(error.message).toMatch(/password authentication failed/)
  })

  test('in a pool at work: objects, events, statistics, errors and warnings', async () => {
    const warnings = heardWarnings()
    const dsn = (await freshDatabase(server)).replace('postgres@', `postgres:${canary}@`)
    const pool = await createPool(dsn, { minSize: 1, maxSize: 1, acquireTimeout: 50, leakThreshold: 20 })
    const events: unknown[] = []
    for (const event of [
      'open',
      'close',
      'acquire',
      'release',
      'connectFailed',
      'warning',
      'leak',
    ] as const) {
      pool.on(event, (payload) => events.push([event, payload]))
    }
    await pool.use(async (connection) => {
      expectHidden(pool, connection, pool.stats(), pool.target)
      const errors = [
        await failure(() => pool.acquire()),
        await failure(() => connection.fetch('select nonsense')),
        await failure(() => connection.fetchVal('select pg_sleep(60)', [], { timeout: 20 })),
        await failure(() => connection.fetch('select $1::int', ['no number'])),
        await failure(() => pool.release({} as never)),
      ]
      expect(errors.map(({ name }) => name)).toEqual([
        'PoolTimeoutError',
        'PostgresError',
        'QueryTimeoutError',
        'DataError',
        'InterfaceError',
      ])
      await connection.transaction(async (tx) => {
        expectHidden(tx)
        await failure(() => tx.transaction(() => tx.execute('select nonsense')))
      })
      await connection.execute('begin')
    })
    await until('the leak is told', () => events.some((event) => (event as unknown[])[0] === 'leak'))
    const dying = pool.use((connection) => connection.fetchVal('select pg_sleep(60)'))
    await until('the statement runs', async () => (await sleepers(dsn)).length > 0)
    await Promise.all([failure(() => dying), pool.terminate()])
    await failure(() => pool.acquire())
    expectHidden(pool, pool.stats(), ...events, ...warnings)
  })
})
