import { describe, expect, test } from 'vitest'
import { InterfaceError } from '../../src/index.ts'
import { FaultProxy, ProtocolMessage, Step } from '../../src/testing/index.ts'
import { startLine, startWire } from './support/wire.ts'

type Loose = Record<string, (...args: unknown[]) => unknown>

describe('what is not what it should be is refused by its name', () => {
  test.for([
    [{ prot: 1 }, 'unknown option "prot"'],
    [{ Port: 1 }, 'did you mean port?'],
    [{ port: 0 }, 'port:'],
    [{ port: 65_536 }, 'port:'],
    [{ port: '5432' }, 'port:'],
    [{ host: '' }, 'host:'],
    [{ host: 7 }, 'host:'],
    [{ path: '' }, 'path:'],
    [{ path: '/tmp/s', port: 1 }, 'path:'],
    [{ random: 4 }, 'random:'],
    [null, 'the options must be an object'],
  ])('start(%j)', async ([options, message]) => {
    const started = FaultProxy.start(options as object)
    await expect(started).rejects.toThrow(InterfaceError)
    await expect(started).rejects.toThrow(message as string)
  })

  const faults: [string, unknown[], string][] = [
    ['delay', ['soon'], 'latency:'],
    ['delay', [1, -1], 'jitter:'],
    ['slice', [-1], 'bytes:'],
    ['slice', ['1'], 'bytes:'],
  ]
  const oneWay: [string, unknown[], string][] = [
    ...faults,
    ['at', [1.5, () => {}], 'bytes:'],
    ['at', [1], 'action:'],
    ['rewrite', [], 'rewriter:'],
    ['rewriteMessages', ['Z'], 'rewriter:'],
  ]

  test('by the proxy and its two ways, without connections', async () => {
    const { proxy } = await startLine()
    for (const [target, calls] of [
      [proxy, faults],
      [proxy.toServer, oneWay],
      [proxy.toClient, oneWay],
    ] as const) {
      for (const [word, args, message] of calls) {
        expect(() => (target as unknown as Loose)[word]!(...args), word).toThrow(message)
      }
    }
  })

  test('by a connection and its two ways', async () => {
    const { connection } = await startWire()
    for (const [target, calls] of [
      [connection, faults],
      [connection.toServer, oneWay],
      [connection.toClient, oneWay],
    ] as const) {
      for (const [word, args, message] of calls) {
        expect(() => (target as unknown as Loose)[word]!(...args), word).toThrow(message)
      }
    }
    await expect(connection.toServer.passed(-1)).rejects.toThrow('bytes:')
    await expect(connection.toServer.received(0.5)).rejects.toThrow('bytes:')
  })

  test('a byte that has passed already', async () => {
    const { client, server, connection } = await startWire()
    client.send('four')
    await server.receives(4)
    await connection.toServer.passed(4)
    expect(() => connection.toServer.at(3, () => {})).toThrow('bytes: 3 is too late, 4 have been passed on')
  })

  test('kinds and listeners', async () => {
    const { proxy } = await startLine()
    const loose = proxy as unknown as Loose
    expect(() => loose.onConnection!('query', () => {})).toThrow(
      "kind: \"query\" is none of 'unknown', 'session'",
    )
    expect(() => loose.onConnection!('cancel')).toThrow('listener:')
    await expect(loose.nextConnection!('query')).rejects.toThrow('kind:')
  })

  test.for(['', 'app', 'host=a port=1', 'postgres:app', 'postgres://a:1,b:2/app'])(
    'through(%j) says nothing of what it got',
    async (dsn) => {
      const { proxy } = await startLine()
      expect(() => proxy.through(dsn)).toThrow(/^dsn: must be a URL with one host$/)
    },
  )

  test('messages and steps', () => {
    expect(() => new ProtocolMessage('ZZ')).toThrow('type:')
    expect(() => new ProtocolMessage('Z', 'I' as unknown as Buffer)).toThrow('body:')
    const step = new Step()
    expect(() => step.succeed()).toThrow('index:')
    expect(() => step.before(undefined as unknown as () => void)).toThrow('work:')
    return expect(step.called(-1)).rejects.toThrow('calls:')
  })
})

describe('what the code of a test throws resets the connection, and is thrown by close', () => {
  test.for(['listener', 'action', 'promise of an action', 'rewriter', 'rewriter of messages'])(
    '%s',
    async (who) => {
      const { proxy, dial } = await startLine()
      const failure = new Error('the test is wrong')
      const thrower = () => {
        throw failure
      }
      if (who === 'listener') proxy.onConnection(thrower)
      if (who === 'action') proxy.toServer.at(1, thrower)
      if (who === 'promise of an action') proxy.toServer.at(1, () => Promise.reject(failure))
      if (who === 'rewriter') proxy.toServer.rewrite(thrower)
      if (who === 'rewriter of messages') proxy.toServer.rewriteMessages(thrower)
      const { client } = await dial()
      client.socket.write(new ProtocolMessage('', Buffer.from([0, 3, 0, 0])).bytes)
      expect(await client.ending).toBe('ECONNRESET')
      await expect(proxy.close()).rejects.toBe(failure)
    },
  )

  test('a rewriter that returns neither bytes nor a message', async () => {
    const { proxy, client } = await startWire()
    proxy.toServer.rewrite(() => 'text' as unknown as Buffer)
    client.send('x')
    expect(await client.ending).toBe('ECONNRESET')
    await expect(proxy.close()).rejects.toThrow('rewriter: must return')
  })
})
