import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../src/errors.ts'
import type { AuthenticationPolicy } from '../../src/wire/authentication/authenticate.ts'
import { startSession } from '../../src/wire/startup.ts'
import {
  authentication,
  authenticationOk,
  report,
  saslContinue,
  saslFinal,
  saslOffer,
  welcome,
} from './support/backend.ts'
import { never, type Peer, scriptedServer, sessionRequest } from './support/scripted-server.ts'

const password = 'canary-7f3a'

/** Logs in, in the clear over TCP, to a server that plays `script` after the StartupMessage. */
async function login(
  script: (peer: Peer) => unknown,
  policy: Partial<AuthenticationPolicy> = {},
  secret: string | undefined = password,
): Promise<void> {
  const server = await scriptedServer(async (peer) => {
    await peer.startup()
    await script(peer)
  })
  const request = sessionRequest(server.address, {
    password: secret,
    authentication: { requireAuth: undefined, channelBinding: 'prefer', ...policy },
  })
  const { socket } = await startSession(request, never)
  socket.destroy()
}

async function refused(...login: Promise<void>[]): Promise<ConnectError> {
  const failure = await login[0]!.catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(ConnectError)
  expect(inspect(failure, { depth: 9 })).not.toContain(password)
  return failure as ConnectError
}

const cleartext = authentication(3)
const md5 = authentication(5, Buffer.from('salt'))

test.each([
  ['Kerberos V5', 2],
  ['SCM credentials', 6],
  ['GSSAPI', 7],
  ['SSPI', 9],
  ['authentication method 4242', 4242],
])('a server that asks for %s is refused for good by the name of the method', async (name, code) => {
  const failure = await refused(login((peer) => peer.send(authentication(code))))
  expect(failure.message).toContain(`the server asks for ${name}, which rockpool does not know`)
  expect(failure.permanent).toBe(true)
})

describe('a password in the clear', () => {
  test('is refused for good over TCP without TLS, and no byte of it is sent', async () => {
    let sent: Buffer | undefined
    const failure = await refused(
      login(async (peer) => {
        peer.send(cleartext)
        sent = await peer.message()
      }),
    )
    expect(failure.message).toMatch(
      /in the clear over a connection that is not encrypted.*requireAuth: 'password'/,
    )
    expect(failure.permanent).toBe(true)
    expect(sent).toBeUndefined()
  })

  test('is sent where requireAuth allows it', async () => {
    let sent = ''
    await login(
      async (peer) => {
        peer.send(cleartext)
        sent = (await peer.message()).toString()
        peer.send(welcome)
      },
      { requireAuth: ['password'] },
    )
    expect(sent).toBe(`${password}\0`)
  })
})

test('md5 answers with the hash of password, user and salt', async () => {
  let sent = ''
  await login(async (peer) => {
    peer.send(md5)
    sent = (await peer.message()).toString()
    peer.send(welcome)
  })
  const hash = (text: string) => createHash('md5').update(text).digest('hex')
  expect(sent).toBe(`md5${hash(`${hash(`${password}app`)}salt`)}\0`)
})

describe('requireAuth', () => {
  test.each([
    ['none', authenticationOk],
    ['md5', md5],
    ['password', cleartext],
  ])('refuses for good a server that asks for less: %s', async (method, request) => {
    const failure = await refused(login((peer) => peer.send(request), { requireAuth: ['scram-sha-256'] }))
    expect(failure.message).toContain(
      `authentication by ${method}, but requireAuth allows only scram-sha-256`,
    )
    expect(failure.permanent).toBe(true)
  })

  test('lets a method on its list pass', async () => {
    await login((peer) => peer.send(welcome), { requireAuth: ['md5', 'none'] })
  })
})

describe('channelBinding: require', () => {
  test('refuses a method that cannot be bound', async () => {
    const failure = await refused(login((peer) => peer.send(welcome), { channelBinding: 'require' }))
    expect(failure).toMatchObject({ permanent: true, message: expect.stringContaining('cannot be bound') })
  })

  test('refuses a connection without TLS', async () => {
    const offer = saslOffer('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256')
    const failure = await refused(login((peer) => peer.send(offer), { channelBinding: 'require' }))
    expect(failure).toMatchObject({ permanent: true, message: expect.stringContaining('it needs TLS') })
  })
})

test.each([
  ['md5', md5],
  ['SCRAM', saslOffer('SCRAM-SHA-256')],
])('a server that asks for %s where no password was given is told apart', async (_method, request) => {
  const server = await scriptedServer(async (peer) => {
    await peer.startup()
    peer.send(request)
  })
  const failure = startSession(sessionRequest(server.address), never)
  await expect(failure).rejects.toMatchObject({
    permanent: true,
    message: expect.stringContaining('asks for the password of user "app" and none was given'),
  })
})

test('a wrong password is the server’s error, for good, and not shown', async () => {
  const failure = await refused(
    login(async (peer) => {
      peer.send(md5)
      await peer.message()
      peer.socket.end(report('E', '28P01', 'password authentication failed for user "app"'))
    }),
  )
  expect(failure.message).toMatch(/password authentication failed for user "app" \(28P01\)$/)
  expect(failure.permanent).toBe(true)
})

const nonceOf = (clientFirst: Buffer) => /r=([^,]+)$/.exec(clientFirst.toString())![1]

test('aborting while the key is derived closes the socket at once', async () => {
  const controller = new AbortController()
  const order: string[] = []
  const server = await scriptedServer(async (peer, index) => {
    await peer.startup()
    if (index > 0) return peer.socket.end()
    peer.send(saslOffer('SCRAM-SHA-256'))
    peer.send(saslContinue(`r=${nonceOf(await peer.message())}x,s=W22Z,i=1000000`))
    // By the time that a whole second start-up has failed, the message has been read.
    await startSession(sessionRequest(server.address), never).catch(() => {})
    controller.abort(new Error('no longer wanted'))
    await peer.left()
    order.push('closed')
  })
  const request = sessionRequest(server.address, { password })
  await startSession(request, controller.signal).catch((error: Error) => order.push(error.message))
  expect(order).toEqual(['closed', 'no longer wanted'])
})

describe('SCRAM is refused when the server', () => {
  test.each([
    ['offers nothing', saslOffer(), /offers the SASL mechanisms \(none\)/],
    ['offers only what is unknown', saslOffer('OAUTHBEARER'), /offers the SASL mechanisms OAUTHBEARER/],
    ['offers binding only, without TLS', saslOffer('SCRAM-SHA-256-PLUS'), /mechanisms SCRAM-SHA-256-PLUS/],
  ])('%s', async (_what, offer, says) => {
    const failure = await refused(login((peer) => peer.send(offer)))
    expect(failure.message).toMatch(says)
    expect(failure.permanent).toBe(true)
  })

  test('says that all is well without having proved anything', async () => {
    const failure = await refused(
      login(async (peer) => {
        peer.send(saslOffer('SCRAM-SHA-256'))
        await peer.message()
        peer.send(welcome)
      }),
    )
    expect(failure.message).toMatch(/authentication request 0 where 11 is due/)
  })

  test('skips its signature', async () => {
    const failure = await refused(
      login(async (peer) => {
        peer.send(saslOffer('SCRAM-SHA-256'))
        const nonce = nonceOf(await peer.message())
        peer.send(saslContinue(`r=${nonce}x,s=W22Z,i=1`))
        await peer.message()
        peer.send(welcome)
      }),
    )
    expect(failure.message).toMatch(/authentication request 0 where 12 is due/)
  })

  test('falls back to a password in the clear', async () => {
    const failure = await refused(
      login(async (peer) => {
        peer.send(saslOffer('SCRAM-SHA-256'))
        await peer.message()
        peer.send(cleartext)
      }),
    )
    expect(failure.message).toMatch(/authentication request 3 where 11 is due/)
  })

  test.each([
    ['signs wrongly', 'x,s=W22Z,i=1', /its signature is wrong/],
    ['asks for 10^9 iterations', 'x,s=W22Z,i=1000000000', /it asks for 1000000000 iterations/],
    ['does not extend the nonce', ',s=W22Z,i=1', /does not extend ours/],
  ])('%s', async (_what, rest, says) => {
    const failure = await refused(
      login(async (peer) => {
        peer.send(saslOffer('SCRAM-SHA-256'))
        const nonce = nonceOf(await peer.message())
        peer.send(saslContinue(`r=${nonce}${rest}`))
        await peer.message()
        peer.send(saslFinal(`v=${Buffer.alloc(32).toString('base64')}`))
      }),
    )
    expect(failure.message).toMatch(says)
    expect(failure.permanent).toBe(true)
  })
})
