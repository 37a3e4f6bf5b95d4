import { describe, expect, it } from 'vitest'
import { connect, QueryTimeoutError } from '../../src/index.ts'
import { cstring, message, readyForQuery, welcome } from '../wire/support/backend.ts'
import { type Peer, scriptedServer } from '../wire/support/scripted-server.ts'

const cancelRequest = 80_877_102
const cancelled = message(
  'E',
  ...['SERROR', 'VERROR', 'C57014', 'Mcanceling statement due to user request'].map(cstring),
  Buffer.of(0),
)

describe('a cancel', () => {
  it('that came before the server had read the statement, and so did nothing, is sent again', async () => {
    let cancels = 0
    let session: Peer | undefined
    const server = await scriptedServer(async (peer) => {
      const packet = await peer.packet()
      if (packet.readInt32BE(0) !== cancelRequest) {
        session = peer
        return peer.send(welcome)
      }
      cancels++
      if (cancels === 3) session!.send(cancelled, readyForQuery())
      peer.socket.end()
    })
    const { host, port } = server.address
    const connection = await connect(undefined, { host, port, user: 'app', ssl: false })
    await expect(connection.execute('select pg_sleep(60)', [], { timeout: 20 })).rejects.toThrow(
      QueryTimeoutError,
    )
    expect(cancels).toBe(3)
    expect(connection.isClosed).toBe(false)
    await connection.terminate()
  })

  it('that came while its statement was prepared lets nothing run, and the time-out says so', async () => {
    const written: string[] = []
    let session: Peer | undefined
    const server = await scriptedServer(async (peer) => {
      const packet = await peer.packet()
      if (packet.readInt32BE(0) === cancelRequest) {
        session!.send(message('1'), message('t', Buffer.alloc(2)), message('n'))
        return peer.socket.end()
      }
      session = peer
      peer.send(welcome)
      for (;;) {
        const letter = (await peer.read(1)).toString()
        await peer.packet()
        written.push(letter)
        if (letter === 'S') peer.send(readyForQuery())
      }
    })
    const { host, port } = server.address
    const connection = await connect(undefined, { host, port, user: 'app', ssl: false })
    const prepared = connection.fetch('select 1', [], { timeout: 100 })
    const behind = connection.fetch('select 2', [], { timeout: 50 })
    await expect(behind).rejects.toMatchObject({
      outcome: 'not-sent',
      message:
        'command time-out of 50 ms: the statement waited behind others on its connection until its time was over and was not sent',
    })
    await expect(prepared).rejects.toMatchObject({
      outcome: 'not-sent',
      message: 'command time-out of 100 ms: the statement was still being prepared by then and was not run',
    })
    expect(written).toEqual(['P', 'D', 'H', 'S'])
    await connection.terminate()
  })

  it('that nobody answers goes with its connection: no socket of it is left', async () => {
    const server = await scriptedServer(async (peer) => {
      const packet = await peer.packet()
      if (packet.readInt32BE(0) !== cancelRequest) peer.send(welcome)
      else server.peers[0]!.socket.destroy()
    })
    const { host, port } = server.address
    const connection = await connect(undefined, { host, port, user: 'app', ssl: false, cancelTimeout: 0 })
    await expect(connection.execute('select pg_sleep(60)', [], { timeout: 20 })).rejects.toThrow(
      QueryTimeoutError,
    )
    await (await server.peer(1)).left()
    expect(connection.isClosed).toBe(true)
  })
})
