import { once } from 'node:events'
import net from 'node:net'
import { describe, expect, test } from 'vitest'
import { FaultProxy } from '../../src/testing/index.ts'
import { Side, startLine, startWire } from './support/wire.ts'

const kilobyte = 1_024

/** Lets what is under way on loopback happen. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Whether a promise has not settled by the time that what was under way is over. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const settled = () => {
    pending = false
  }
  promise.then(settled, settled)
  await turns(20)
  return pending
}

describe('without a fault', () => {
  test('bytes pass both ways as they are, and are counted', async () => {
    const { client, server, connection } = await startWire()
    client.send('question')
    expect(await server.receives(8)).toBe('question')
    server.send('an answer')
    expect(await client.receives(9)).toBe('an answer')
    await connection.toClient.passed(9)
    expect([connection.toServer.bytesReceived, connection.toServer.bytesPassed]).toEqual([8, 8])
    expect([connection.toClient.bytesReceived, connection.toClient.bytesPassed]).toEqual([9, 9])
  })

  test('one side may close while the other still sends', async () => {
    const { client, server, connection } = await startWire()
    client.socket.end('the last word')
    expect(await server.ending).toBe('FIN')
    server.socket.end('an answer all the same')
    expect(await client.ending).toBe('FIN')
    expect([server.text, client.text]).toEqual(['the last word', 'an answer all the same'])
    await connection.closed
    expect(connection.isClosed).toBe(true)
  })

  test.for(['client', 'server'] as const)('a reset by the %s is a reset for the other', async (who) => {
    const wire = await startWire()
    const other = who === 'client' ? wire.server : wire.client
    wire[who].socket.resetAndDestroy()
    expect(await other.ending).toBe('ECONNRESET')
    await wire.connection.closed
    expect(wire.proxy.connections).toEqual([])
  })

  test('what the receiver does not read stays with its sender, but for what the buffers hold', async () => {
    const { client, server, connection } = await startWire()
    server.socket.pause()
    const sent = 64 * kilobyte * kilobyte
    client.socket.write(Buffer.alloc(sent))
    const waiting = () => connection.toServer.bytesReceived - connection.toServer.bytesPassed
    await connection.toServer.received(kilobyte * kilobyte)
    await turns(300)
    expect(waiting()).toBeLessThanOrEqual(128 * kilobyte)
    expect(client.socket.writableLength).toBeGreaterThan(0)
    server.socket.resume()
    await connection.toServer.passed(sent)
    expect(waiting()).toBe(0)
  })
})

describe('delay', () => {
  test('each thing comes later by the latency and its part of the jitter, in order', async () => {
    const draws = [0.9, 0, 0.5]
    const { client, server, connection } = await startWire({ random: () => draws.shift()! })
    const begun = performance.now()
    connection.toServer.delay(40, 100)
    for (const [i, text] of ['one ', 'two ', 'three'].entries()) {
      client.send(text)
      await connection.toServer.received([4, 8, 13][i]!)
    }
    expect(await server.receives(4)).toMatch(/^one /)
    expect(performance.now() - begun).toBeGreaterThanOrEqual(130)
    expect(await server.receives(13)).toBe('one two three')
    expect(draws).toEqual([])
  })

  test('the end is late, too', async () => {
    const { client, server, connection } = await startWire()
    const begun = performance.now()
    connection.delay('60ms')
    client.socket.end()
    expect(await server.ending).toBe('FIN')
    expect(performance.now() - begun).toBeGreaterThanOrEqual(60)
  })

  test('one way only leaves the other as it is', async () => {
    const { client, server, connection } = await startWire()
    connection.toServer.delay('1h')
    client.send('late')
    server.send('at once')
    expect(await client.receives(7)).toBe('at once')
    expect(server.text).toBe('')
  })

  test.for(['delay', 'heal'] as const)('what waits goes at once after %s', async (word) => {
    const { client, server, connection } = await startWire()
    connection.delay('1h')
    client.send('late')
    await connection.toServer.received(4)
    connection[word](0)
    expect(await server.receives(4)).toBe('late')
  })
})

describe('slice', () => {
  test('what comes is read in parts of so many bytes', async () => {
    const { client, server, connection } = await startWire()
    connection.toServer.slice(3)
    client.send('abcdefgh')
    expect(await server.receives(8)).toBe('abcdefgh')
    expect(server.reads).toEqual([3, 3, 2])
  })

  test('0 passes it on whole again', async () => {
    const { client, server, connection } = await startWire()
    connection.slice(1)
    connection.slice(0)
    client.send('abcdefgh')
    await server.receives(8)
    expect(server.reads).toEqual([8])
  })
})

describe('hold', () => {
  test('nothing passes either way, and nothing is lost', async () => {
    const { client, server, connection } = await startWire()
    connection.hold()
    client.send('question')
    server.send('answer')
    await Promise.all([connection.toServer.received(8), connection.toClient.received(6)])
    expect(await isPending(connection.toServer.passed(1))).toBe(true)
    expect([server.text, client.text]).toEqual(['', ''])
    connection.resume()
    expect(await server.receives(8)).toBe('question')
    expect(await client.receives(6)).toBe('answer')
  })

  test.for(['end', 'resetAndDestroy'] as const)(
    'the other side is not told of %s before resume',
    async (ends) => {
      const { client, server, connection } = await startWire()
      connection.hold()
      client.send('last')
      await connection.toServer.received(4)
      client.socket[ends]()
      await (ends === 'end' ? once(client.socket, 'finish') : once(client.socket, 'close'))
      expect(await isPending(server.ending)).toBe(true)
      connection.resume()
      expect(await server.ending).toBe(ends === 'end' ? 'FIN' : 'ECONNRESET')
      expect(server.text).toBe('last')
    },
  )

  test('a sender meets back-pressure', async () => {
    const { client, connection } = await startWire()
    connection.toServer.hold()
    const sent = 64 * kilobyte * kilobyte
    client.socket.write(Buffer.alloc(sent))
    await connection.toServer.received(64 * kilobyte)
    await turns(300)
    expect(connection.toServer.bytesReceived).toBeLessThanOrEqual(128 * kilobyte)
    expect(client.socket.writableLength).toBeGreaterThan(0)
  })

  test('a new connection does not reach the server before resume', async () => {
    const { proxy, dial, answered } = await startLine()
    proxy.hold()
    const { client, connection } = await dial()
    client.send('hello')
    await connection.toServer.received(5)
    const server = answered()
    expect(await isPending(server)).toBe(true)
    proxy.resume()
    expect(await (await server).receives(5)).toBe('hello')
  })

  test('nor does a client that has left by then', async () => {
    const { proxy, dial, answered } = await startLine()
    proxy.hold()
    const { client, connection } = await dial()
    client.socket.end('hello')
    await connection.closed
    connection.resume()
    proxy.resume()
    const { client: second } = await dial()
    second.send('second')
    expect(await (await answered()).receives(6)).toBe('second')
  })
})

describe('holdEnd', () => {
  test('bytes pass, and the close is told at resume', async () => {
    const { client, server, connection } = await startWire()
    connection.toClient.holdEnd()
    server.socket.end('goodbye')
    expect(await client.receives(7)).toBe('goodbye')
    expect(await isPending(client.ending)).toBe(true)
    connection.toClient.resume()
    expect(await client.ending).toBe('FIN')
  })
})

describe('drop', () => {
  test('what comes is gone, and nothing passes any more after resume', async () => {
    const { client, server, connection } = await startWire()
    connection.toServer.drop()
    client.send('lost')
    await connection.toServer.received(4)
    connection.resume()
    client.send('more')
    await connection.toServer.received(8)
    server.send('the other way is open')
    await client.receives(21)
    expect(server.text).toBe('')
    expect(connection.toServer.bytesPassed).toBe(0)
  })

  test('without a loss meanwhile, resume makes it as before', async () => {
    const { client, server, connection } = await startWire()
    connection.drop()
    connection.resume()
    client.send('safe')
    expect(await server.receives(4)).toBe('safe')
  })

  test('an end is lost like bytes', async () => {
    const { client, server, connection } = await startWire()
    connection.drop()
    client.socket.end()
    await once(client.socket, 'finish')
    expect(await isPending(server.ending)).toBe(true)
    connection.heal()
    expect(await isPending(server.ending)).toBe(true)
  })

  test('a sender meets no back-pressure', async () => {
    const { client, connection } = await startWire()
    connection.hold()
    client.socket.write(Buffer.alloc(1_000 * kilobyte))
    await connection.toServer.received(64 * kilobyte)
    connection.drop()
    await connection.toServer.received(1_000 * kilobyte)
  })
})

describe('faults add up, in whatever order they are said', () => {
  test('what is held stays so when its end is to be held, too', async () => {
    const { client, server, connection } = await startWire()
    connection.hold()
    connection.holdEnd()
    client.send('held')
    await connection.toServer.received(4)
    expect(await isPending(connection.toServer.passed(1))).toBe(true)
    expect(server.text).toBe('')
  })

  test('what is lost stays so when it is held, too', async () => {
    const { client, server, connection } = await startWire()
    connection.toServer.drop()
    client.send('lost')
    await connection.toServer.received(4)
    connection.toServer.hold()
    connection.resume()
    client.send('more')
    await connection.toServer.received(8)
    expect(await isPending(connection.toServer.passed(1))).toBe(true)
    expect(server.text).toBe('')
  })

  test('what is over stays so', async () => {
    const { client, server, connection } = await startWire()
    connection.toServer.end()
    connection.hold()
    connection.resume()
    client.send('more')
    await connection.toServer.received(4)
    expect(await server.ending).toBe('FIN')
    expect(connection.toServer.bytesPassed).toBe(0)
  })
})

describe('end and reset', () => {
  test('end is FIN for both sides, past what is held', async () => {
    const { client, server, connection } = await startWire()
    connection.hold()
    client.send('never seen')
    await connection.toServer.received(10)
    connection.end()
    expect(await Promise.all([client.ending, server.ending])).toEqual(['FIN', 'FIN'])
    expect(server.text).toBe('')
  })

  test('reset is RST for both sides, and closes', async () => {
    const { client, server, connection } = await startWire()
    connection.reset()
    expect(await Promise.all([client.ending, server.ending])).toEqual(['ECONNRESET', 'ECONNRESET'])
    await connection.closed
  })

  test('reset does not wait until the receiver has read', async () => {
    const { client, server, connection } = await startWire()
    server.socket.pause()
    client.socket.write(Buffer.alloc(64 * kilobyte * kilobyte))
    await connection.toServer.received(kilobyte * kilobyte)
    await turns(300)
    connection.reset()
    await connection.closed
    expect(connection.toServer.bytesPassed).toBeLessThan(64 * kilobyte * kilobyte)
  })

  test.for([
    ['end', 'FIN'],
    ['reset', 'ECONNRESET'],
  ] as const)('%s of one way is told to its receiver alone', async ([word, seen]) => {
    const { client, server, connection } = await startWire()
    connection.toClient[word]()
    expect(await client.ending).toBe(seen)
    client.socket.destroy()
    server.send('to nobody')
    await connection.toClient.received(9)
    if (word === 'reset') expect(await isPending(server.ending)).toBe(true)
    expect(connection.toClient.bytesPassed).toBe(0)
  })

  test('the proxy says it to the connections that there are', async () => {
    const { proxy, dial, answered } = await startLine()
    const [one, two] = [await dial(), await dial()]
    proxy.reset()
    expect(await Promise.all([one.client.ending, two.client.ending])).toEqual(['ECONNRESET', 'ECONNRESET'])
    await Promise.all([one.connection.closed, two.connection.closed])
    await answered()
    await answered()
    const three = await dial()
    three.client.send('later')
    expect(await (await answered()).receives(5)).toBe('later')
  })
})

describe('refuse', () => {
  test('new connections are refused, present ones stay, and the port is the same afterwards', async () => {
    const { proxy, dial, answered } = await startLine()
    const { client } = await dial()
    const server = await answered()
    const { port } = proxy
    await proxy.refuse()
    await proxy.refuse()
    const [error] = (await once(net.connect({ host: proxy.host, port }), 'error').catch((error) => [
      error,
    ])) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
    client.send('still here')
    expect(await server.receives(10)).toBe('still here')
    await proxy.accept()
    await proxy.accept()
    expect(proxy.port).toBe(port)
    expect((await dial()).connection.id).toBe(2)
  })

  test('a server that cannot be reached is a reset for the client', async () => {
    const { proxy: unreachable } = await startLine()
    await unreachable.refuse()
    await using proxy = await FaultProxy.start({ port: unreachable.port })
    const client = new Side(net.connect({ host: proxy.host, port: proxy.port }))
    expect(await client.ending).toBe('ECONNRESET')
  })
})
