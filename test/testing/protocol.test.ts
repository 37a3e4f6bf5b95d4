import { describe, expect, test } from 'vitest'
import { ConnectionLostError, connect } from '../../src/index.ts'
import { FaultProxy, ProtocolMessage } from '../../src/testing/index.ts'
import { anyServer, freshDatabase, servers } from '../support/servers.ts'
import { startWire } from './support/wire.ts'

const inTheClear = { ssl: 'disable' } as const

async function proxyTo(server = anyServer()): Promise<{ proxy: FaultProxy; dsn: string }> {
  const proxy = await FaultProxy.start({ host: server.host, port: server.port })
  return { proxy, dsn: proxy.through(await freshDatabase(server)) }
}

const packet = (code: number, rest = '') => {
  const body = Buffer.alloc(4)
  body.writeInt32BE(code)
  return new ProtocolMessage('', Buffer.concat([body, Buffer.from(rest)])).bytes.toString('latin1')
}
const sslRequest = packet(80_877_103)
const gssRequest = packet(80_877_104)
const startup = packet(0x0003_0000, 'user\0app\0\0')
const ready = new ProtocolMessage('Z', Buffer.from('I')).bytes.toString('latin1')

describe('the kind of a connection', () => {
  test('is told before anything of it passes: a session, and the cancel of its statement', async () => {
    const { proxy, dsn } = await proxyTo()
    await using _ = proxy
    const seen: string[] = []
    for (const kind of ['session', 'cancel', 'tls', 'unknown'] as const) {
      proxy.onConnection(kind, (found) => seen.push(`${found.kind} ${found.toServer.bytesPassed}`))
    }
    const connection = await connect(dsn, inTheClear)
    const cancel = proxy.nextConnection('cancel')
    await expect(connection.execute('select pg_sleep(60)', [], { timeout: 50 })).rejects.toThrow()
    expect((await cancel).id).toBe(2)
    await connection.close()
    expect(seen).toEqual(['session 0', 'cancel 0'])
  })

  test.for(servers())('is tls where the session is encrypted, on PostgreSQL $major', async (server) => {
    const { proxy, dsn } = await proxyTo(server)
    await using _ = proxy
    const found: number[] = []
    for (const kind of ['tls', 'unknown'] as const) {
      proxy.onConnection(kind, (connection) => found.push(connection.id))
    }
    const connection = await connect(dsn, { ssl: 'require' })
    expect(await connection.fetchVal('select 1')).toBe(1)
    expect(proxy.connections.map(({ kind }) => kind)).toEqual(['tls'])
    expect(found).toEqual([1])
    await connection.close()
  })

  test('is tls where TLS begins without a request', async () => {
    const { client, server, connection } = await startWire()
    client.send('\x16\x03\x01')
    await server.receives(3)
    expect(connection.kind).toBe('tls')
  })

  test('becomes session where the server declines every encryption', async () => {
    const { client, server, connection } = await startWire()
    for (const [i, request] of [gssRequest, sslRequest].entries()) {
      client.send(request)
      await server.receives(8 * (i + 1))
      expect(connection.kind).toBe('tls')
      server.send('N')
      await client.receives(i + 1)
    }
    client.send(startup)
    await server.receives(16 + startup.length)
    expect(connection.kind).toBe('session')
  })

  test.for([
    ['text', 'GET / HTTP/1.1\r\n'],
    ['a packet of an unknown code', '\0\0\0\x08\x01\x02\x03\x04'],
    ['a packet that is too long', '\0\x7f\0\0\0\x03\0\0'],
  ] as const)('is unknown for %s, which passes as it is', async ([, text]) => {
    const { client, server, connection } = await startWire()
    client.send(text)
    expect(await server.receives(text.length)).toBe(text)
    expect(connection.kind).toBe('unknown')
  })

  test('what a client has said of its first packet when it ends passes, too', async () => {
    const { client, server } = await startWire()
    client.socket.end(startup.slice(0, 11), 'latin1')
    expect(await server.ending).toBe('FIN')
    expect(server.text).toBe(startup.slice(0, 11))
  })
})

describe('rewriteMessages', () => {
  test('gets every message of a session, the packets before it among them', async () => {
    const { proxy, dsn } = await proxyTo()
    await using _ = proxy
    const asked: string[] = []
    const answered: string[] = []
    proxy.slice(3)
    proxy.toServer.rewriteMessages((message) => {
      asked.push(message.type)
      return message
    })
    proxy.toClient.rewriteMessages((message) => {
      answered.push(message.type)
      return message
    })
    const connection = await connect(dsn, { ssl: 'disable' })
    expect(await connection.fetchVal('select $1::int4', [7])).toBe(7)
    await connection.close()
    expect(asked.join('')).toMatch(/^PD[HS].*BES.*X$/)
    expect(asked[0]).toBe('')
    expect(answered.join('')).toMatch(/^RS+KZ1tT.*2D[Cs]Z$/)
  })

  test('a message is altered, dropped, doubled, or replaced by bytes that are none', async () => {
    const { proxy, dsn } = await proxyTo()
    await using _ = proxy
    const connection = await connect(dsn, inTheClear)
    expect(await connection.fetchVal(`select 'one'`)).toBe('one')
    proxy.toClient.rewriteMessages((message) => {
      if (message.type !== 'D') return message
      return new ProtocolMessage(
        'D',
        Buffer.from(message.body.toString('latin1').replace('one', 'two'), 'latin1'),
      )
    })
    expect(await connection.fetchVal(`select 'one'`)).toBe('two')
    proxy.toClient.rewriteMessages((message) => (message.type === 'D' ? [] : message))
    expect(await connection.fetch(`select 'one' as word`)).toEqual([])
    proxy.toClient.rewriteMessages((message) => (message.type === 'D' ? [message, message] : message))
    expect(await connection.fetch(`select 'one' as word`)).toEqual([{ word: 'one' }, { word: 'one' }])
    proxy.toClient.rewriteMessages(() => Buffer.from('\0\0\0\0\0'))
    await expect(connection.fetchVal(`select 'one'`)).rejects.toThrow(ConnectionLostError)
  })

  test('comes in the middle of a message: that one passes as it is, the next does not', async () => {
    const { client, server, connection } = await startWire()
    client.send(startup)
    await server.receives(startup.length)
    server.send(ready.slice(0, 3))
    await client.receives(3)
    connection.toClient.rewriteMessages(({ type }) => new ProtocolMessage(type, Buffer.from('T')))
    server.send(`${ready.slice(3)}${ready}`)
    expect(await client.receives(12)).toBe(`${ready}${ready.slice(0, 5)}T`)
  })

  test('leaves in the middle of a message: what was kept of it passes', async () => {
    const { client, server, connection } = await startWire()
    connection.toClient.rewriteMessages(() => [])
    client.send(startup)
    await server.receives(startup.length)
    server.send(`${ready}${ready.slice(0, 3)}`)
    await connection.toClient.received(9)
    connection.heal()
    server.send(ready.slice(3))
    expect(await client.receives(6)).toBe(ready)
  })

  test('gets the answer to a request for encryption, and nothing that is encrypted', async () => {
    const { proxy, dsn } = await proxyTo()
    await using _ = proxy
    const seen: string[] = []
    for (const way of [proxy.toServer, proxy.toClient]) {
      way.rewriteMessages((message) => {
        seen.push(`${message.type}${message.body.length}`)
        return message
      })
    }
    const connection = await connect(dsn, { ssl: 'require' })
    expect(await connection.fetchVal('select 1')).toBe(1)
    await connection.close()
    expect(seen).toEqual(['4', '1'])
  })

  test('an answer may be changed: encryption that the server would have given is declined', async () => {
    const { proxy, dsn } = await proxyTo()
    await using _ = proxy
    proxy.toClient.rewriteMessages((message) => (message.body.length === 1 ? Buffer.from('N') : message))
    await expect(connect(dsn, { ssl: 'require' })).rejects.toThrow(/does not/)
  })
})
