import { describe, expect, test } from 'vitest'
import type { ProxiedConnection } from '../../src/testing/index.ts'
import { startLine, startWire } from './support/wire.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz'

describe('at a byte', () => {
  test.for([0, 1, 13, 26])('a reset comes when exactly %d bytes have passed', async (bytes) => {
    const { client, server, connection } = await startWire()
    connection.toServer.at(bytes, (connection) => connection.reset())
    client.send(alphabet)
    expect(await client.ending).toBe('ECONNRESET')
    expect(await server.ending).toBe('ECONNRESET')
    expect(server.text).toBe(alphabet.slice(0, bytes))
    expect(connection.toServer.bytesPassed).toBe(bytes)
  })

  test('the bytes count from the start of the connection, however they come', async () => {
    const { client, server, connection } = await startWire()
    connection.toServer.slice(2)
    connection.toServer.at(9, (connection) => connection.end())
    for (const [i, letter] of [...alphabet].entries()) {
      client.send(letter)
      await connection.toServer.received(i + 1)
    }
    expect(await server.ending).toBe('FIN')
    expect(server.text).toBe(alphabet.slice(0, 9))
  })

  test('held there, the rest comes at resume', async () => {
    const { client, server, connection } = await startWire()
    connection.toServer.at(5, ({ toServer }) => toServer.hold())
    client.send(alphabet)
    await connection.toServer.passed(5)
    expect(await server.receives(5)).toBe('abcde')
    connection.resume()
    expect(await server.receives(26)).toBe(alphabet)
  })

  test('nothing more passes this way before the promise of an action is kept', async () => {
    const { client, server, connection } = await startWire()
    let resolve = () => {}
    const kept = new Promise<void>((settle) => {
      resolve = settle
    })
    const order: string[] = []
    connection.toServer.at(5, async () => {
      await kept
      order.push(server.text)
    })
    connection.toServer.at(5, () => order.push('second'))
    client.send(alphabet)
    await server.receives(5)
    server.send('the other way')
    await client.receives(13)
    resolve()
    await server.receives(26)
    expect(order).toEqual(['abcde', 'second'])
  })

  test('0 is before the server is reached', async () => {
    const { proxy, dial, answered } = await startLine()
    proxy.toServer.at(0, (connection) => connection.id === 1 && connection.reset())
    const first = await dial()
    expect(await first.client.ending).toBe('ECONNRESET')
    await first.connection.closed
    const second = await dial()
    second.client.send('second')
    expect(await (await answered()).receives(6)).toBe('second')
  })

  test('said to the proxy, it happens on each connection that comes', async () => {
    const { proxy, dial } = await startLine()
    const cut: ProxiedConnection[] = []
    proxy.toServer.at(3, (connection) => {
      cut.push(connection)
      connection.reset()
    })
    for (const _ of [1, 2]) {
      const { client } = await dial()
      client.send(alphabet)
      expect(await client.ending).toBe('ECONNRESET')
    }
    expect(cut.map(({ id, toServer }) => [id, toServer.bytesPassed])).toEqual([
      [1, 3],
      [2, 3],
    ])
  })

  test('heal forgets it', async () => {
    const { proxy, client, server, connection } = await startWire()
    connection.toServer.at(3, () => connection.reset())
    proxy.toServer.at(4, () => connection.reset())
    proxy.heal()
    client.send(alphabet)
    expect(await server.receives(26)).toBe(alphabet)
  })

  test('a wait for bytes that never come rejects with the close', async () => {
    const { client, connection } = await startWire()
    const never = connection.toServer.passed(1_000)
    connection.toClient.received(1).catch(() => {})
    client.socket.resetAndDestroy()
    await expect(never).rejects.toThrow('the connection was closed after 0 of 1000 bytes')
    await expect(connection.toClient.received(1)).rejects.toThrow('the connection was closed after 0 of 1')
  })
})

describe('rewrite', () => {
  test('what a rewriter gives passes in the place of what came', async () => {
    const { client, server, connection } = await startWire()
    const offsets: number[] = []
    connection.toServer.rewrite((chunk, offset, of) => {
      offsets.push(offset)
      return Buffer.from(`<${of.id}:${chunk.toString()}>`)
    })
    client.send('one')
    await connection.toServer.passed(7)
    client.send('two')
    expect(await server.receives(14)).toBe('<1:one><1:two>')
    expect(offsets).toEqual([0, 3])
    expect([connection.toServer.bytesReceived, connection.toServer.bytesPassed]).toEqual([6, 14])
  })

  test('an empty Buffer lets nothing pass, and the end still does', async () => {
    const { client, server, connection } = await startWire()
    connection.toServer.rewrite(() => Buffer.alloc(0))
    client.socket.end('gone')
    expect(await server.ending).toBe('FIN')
    expect(server.text).toBe('')
  })

  test('offsets go on where a rewriter comes late', async () => {
    const { client, server, connection } = await startWire()
    client.send('head ')
    await server.receives(5)
    connection.toServer.rewrite((chunk, offset) => Buffer.concat([Buffer.from(`${offset}:`), chunk]))
    client.send('tail')
    expect(await server.receives(11)).toBe('head 5:tail')
  })

  test('heal stops it', async () => {
    const { proxy, client, server } = await startWire()
    proxy.toServer.rewrite(() => Buffer.alloc(0))
    proxy.heal()
    client.send('plain')
    expect(await server.receives(5)).toBe('plain')
  })
})
