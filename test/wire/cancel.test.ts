import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { Clock, Timer } from '../../src/deadline.ts'
import { sendCancel } from '../../src/wire/cancel.ts'
import { startSession } from '../../src/wire/startup.ts'
import { TlsSettings } from '../../src/wire/tls.ts'
import { certificates, freshDatabase, servers, sleepers } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { cstring, int32, message } from './support/backend.ts'
import { never, scriptedServer, sessionRequest } from './support/scripted-server.ts'

const secretKey = Buffer.from('0123456789abcdef0123456789abcdef')
const plain = { tls: undefined, processId: 4711, secretKey }

/** A clock whose one timer the test fires. */
class HandClock implements Clock {
  fire = () => {}

  now(): number {
    return 0
  }

  setTimer(_ms: number, fire: () => void): Timer {
    this.fire = fire
    return { cancel: () => {} }
  }
}

test('a cancel carries the process and the whole key, and ends when the server has closed', async () => {
  let packet: Buffer | undefined
  const server = await scriptedServer(async (peer) => {
    packet = await peer.packet()
    peer.socket.end()
  })
  expect(await sendCancel({ ...plain, address: server.address }, 0)).toBe(true)
  expect(packet).toEqual(Buffer.concat([int32(80_877_102), int32(4711), secretKey]))
  await server.peers[0]!.left()
})

test('a cancel keeps its side open until the server has closed', async () => {
  const events: string[] = []
  const server = await scriptedServer(async (peer, index) => {
    await peer.packet()
    if (index === 0) {
      peer.socket.once('end', () => events.push('the client ends'))
      // By the time that a whole second cancel is through, an end of the first one would have been seen.
      await sendCancel({ ...plain, address: server.address }, 0)
      events.push('the server ends')
    }
    peer.socket.end()
  })
  expect(await sendCancel({ ...plain, address: server.address }, 0)).toBe(true)
  expect(events[0]).toBe('the server ends')
})

test('a cancel goes to the address that the session reached, whatever its name means by now', async () => {
  const server = await scriptedServer(async (peer) => {
    await peer.packet()
    peer.socket.end()
  })
  const address = { ...server.address, host: 'moved.invalid', ip: '127.0.0.1' }
  expect(await sendCancel({ ...plain, address }, 0)).toBe(true)
})

describe('a cancel that fails only says so', () => {
  test('when the server cannot be reached', async () => {
    expect(await sendCancel({ ...plain, address: { host: '/nowhere', port: 5432 } }, 0)).toBe(false)
  })

  test('when the session has no key: nothing is sent', async () => {
    const server = await scriptedServer()
    const session = { ...plain, secretKey: Buffer.alloc(0), address: server.address }
    expect(await sendCancel(session, 0)).toBe(false)
    expect(server.peers).toHaveLength(0)
  })

  test('when the time is over: the socket is destroyed', async () => {
    const clock = new HandClock()
    const server = await scriptedServer(async (peer) => {
      await peer.packet()
      clock.fire()
    })
    expect(await sendCancel({ ...plain, address: server.address }, 2_000, clock)).toBe(false)
    await server.peers[0]!.left()
  })

  test('when the session was encrypted and the server now refuses TLS: it is not sent in the clear', async () => {
    let sent: Promise<Buffer> | undefined
    const server = await scriptedServer(async (peer) => {
      await peer.packet()
      peer.send(Buffer.from('N'))
      sent = peer.packet()
      await sent
    })
    const tls = new TlsSettings(false, 'none', {}).asMandatory
    expect(await sendCancel({ ...plain, tls, address: server.address }, 0)).toBe(false)
    await expect(sent).rejects.toThrow('the client has left')
  })
})

describe.each(servers())('PostgreSQL $major', (server) => {
  const ca = () => certificates().authority.cert
  test.each([
    ['over TCP', () => ({ host: server.host, port: server.port }), () => undefined],
    [
      'over TLS',
      () => ({ host: server.host, port: server.port }),
      () => new TlsSettings(true, 'chain-and-name', { ca: ca() }),
    ],
    [
      'over a Unix-domain socket',
      () => ({ host: server.socketDirectory, port: server.port }),
      () => undefined,
    ],
  ])('ends the running statement %s', async (_how, address, tls) => {
    const dsn = await freshDatabase(server)
    const database = new URL(dsn).pathname.slice(1)
    const request = sessionRequest(address(), { user: 'postgres', database, tls: tls() })
    const session = await startSession(request, never)
    const { socket } = session
    const answer = once(socket, 'data')
    socket.resume()
    socket.write(message('Q', cstring('select pg_sleep(60)')))
    await until('the statement runs', async () => (await sleepers(dsn)).length > 0)
    expect(await sendCancel(session, 5_000)).toBe(true)
    const [bytes] = (await answer) as [Buffer]
    expect(bytes.toString('latin1')).toContain('57014')
    socket.destroy()
  })
})
