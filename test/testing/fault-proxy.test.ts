import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConnectionLostError, connect } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { anyServer, freshDatabase } from '../support/servers.ts'
import { startLine } from './support/wire.ts'

const inTheClear = { ssl: 'disable' } as const

describe('what lasts is said to later connections, too', () => {
  test('until heal', async () => {
    const { proxy, dial, answered } = await startLine()
    proxy.slice(2)
    proxy.delay('1h')
    proxy.delay(0)
    proxy.toServer.rewrite((chunk) => Buffer.concat([chunk, Buffer.from('!')]))
    const first = await dial()
    first.client.send('abc')
    const firstServer = await answered()
    expect(await firstServer.receives(4)).toBe('abc!')
    expect(firstServer.reads).toEqual([2, 2])
    proxy.heal()
    const second = await dial()
    for (const { client } of [first, second]) client.send('def')
    expect(await (await answered()).receives(3)).toBe('def')
    expect(await firstServer.receives(7)).toBe('abc!def')
  })

  test('hold, holdEnd and drop until resume', async () => {
    const { proxy, dial, answered } = await startLine()
    for (const word of ['hold', 'holdEnd', 'drop'] as const) proxy.toClient[word]()
    proxy.resume()
    await dial()
    const server = await answered()
    server.send('open')
    await proxy.connections[0]!.toClient.passed(4)
  })
})

describe('onConnection', () => {
  test('sees a connection before anything of it passes, until it is stopped', async () => {
    const { proxy, dial, answered } = await startLine()
    const seen: number[] = []
    const stop = proxy.onConnection((connection) => {
      seen.push(connection.id)
      connection.toServer.rewrite(() => Buffer.from('from the listener'))
    })
    const { client } = await dial()
    client.send('x')
    expect(await (await answered()).receives(17)).toBe('from the listener')
    stop()
    const second = await dial()
    second.client.send('y')
    expect(await (await answered()).receives(1)).toBe('y')
    expect(seen).toEqual([1])
  })
})

describe('FaultProxy', () => {
  test('through gives the way by the proxy, whatever the DSN says of the host', async () => {
    const { proxy } = await startLine()
    const way = `127.0.0.1:${proxy.port}`
    expect(proxy.through('postgres://ann:s%40d@db.example:6000/app?sslmode=require')).toBe(
      `postgres://ann:s%40d@${way}/app?sslmode=require`,
    )
    expect(proxy.through('postgresql:///app?host=/tmp&port=1')).toBe(`postgresql://${way}/app`)
    expect(proxy.through('postgres://[::1]/app')).toBe(`postgres://${way}/app`)
  })

  test('leads to a unix socket', async () => {
    const { socketDirectory, port, dsn } = anyServer()
    await using proxy = await FaultProxy.start({ path: join(socketDirectory, `.s.PGSQL.${port}`) })
    const connection = await connect(proxy.through(dsn), inTheClear)
    expect(await connection.fetchVal('select inet_client_addr()')).toBe(null)
    proxy.reset()
    await expect(connection.fetchVal('select 1')).rejects.toThrow(ConnectionLostError)
  })

  test('close resets what there is, and gives up the port', async () => {
    const { host, port } = anyServer()
    const proxy = await FaultProxy.start({ host, port })
    const dsn = proxy.through(await freshDatabase())
    const connection = await connect(dsn, inTheClear)
    const present = proxy.connections[0]!
    const waits = proxy.nextConnection()
    await proxy.close()
    expect(present.isClosed).toBe(true)
    await expect(waits).rejects.toThrow('the proxy was closed')
    await expect(connection.fetchVal('select 1')).rejects.toThrow(ConnectionLostError)
    await expect(connect(dsn, inTheClear)).rejects.toThrow('ECONNREFUSED')
    await proxy.close()
    await expect(proxy.accept()).rejects.toThrow('the proxy was closed')
  })
})
