import { describe, expect, it } from 'vitest'
import { type Connection, connect } from '../../src/index.ts'
import { cstring, int16, int32, message, oneInt4, readyForQuery, welcome } from '../wire/support/backend.ts'
import { type Peer, scriptedServer } from '../wire/support/scripted-server.ts'

/**
 * A bouncer in transaction mode at its worst: behind it, a new server after every Sync. Each server knows the
 * statements that were parsed since it took over, and answers `select n` with its own number.
 */
async function changesServers(peer: Peer, sync: (letters: string) => void): Promise<void> {
  await peer.startup()
  peer.send(welcome)
  let letters = ''
  let parsed = false
  let servers = 1
  for (;;) {
    const letter = (await peer.read(1)).toString()
    await peer.packet()
    letters += letter
    if (letter === 'P') parsed = true
    else if (letter === 'D' && parsed) peer.send(message('1'), message('t', int16(0)), oneInt4)
    else if (letter === 'B' && parsed) peer.send(message('2'))
    else if (letter === 'E' && parsed) {
      peer.send(message('D', int16(1), int32(4), int32(servers)), message('C', cstring('SELECT 1')))
    } else if (letter === 'S') {
      peer.send(readyForQuery())
      sync(letters)
      letters = ''
      parsed = false
      servers++
    }
  }
}

/** A connection through such a bouncer, and the letters of its messages up to each Sync. */
async function connected(): Promise<{ connection: Connection; syncs: string[] }> {
  const syncs: string[] = []
  const server = await scriptedServer((peer) => changesServers(peer, (letters) => syncs.push(letters)))
  const { host, port } = server.address
  const options = { host, port, user: 'app', ssl: false, statementCacheSize: 0 }
  return { connection: await connect(undefined, options), syncs }
}

describe('R20: with statementCacheSize 0', () => {
  it('a statement is parsed, described and run before its Sync, each time', async () => {
    const { connection, syncs } = await connected()
    expect(await connection.fetchVal('select n')).toBe(1)
    expect(await Promise.all([connection.fetchVal('select n'), connection.fetchVal('select n')])).toEqual([
      2, 3,
    ])
    expect(syncs).toEqual(['PDHBES', 'PDHBES', 'PDHBES'])
    await connection.terminate()
  })

  it('arguments that do not fit are refused, and the server is ready again', async () => {
    const { connection, syncs } = await connected()
    await expect(connection.fetchVal('select n', [1])).rejects.toMatchObject({ outcome: 'not-sent' })
    expect(await connection.fetchVal('select n')).toBe(2)
    expect(syncs).toEqual(['PDHS', 'PDHBES'])
    await connection.terminate()
  })

  it('a caller that leaves before the statement is described has nothing run', async () => {
    const syncs: string[] = []
    const controller = new AbortController()
    const reason = new Error('left')
    const server = await scriptedServer(async (peer, index) => {
      if (index === 0) return changesServers(peer, (letters) => syncs.push(letters))
      await peer.packet()
      peer.socket.end()
    })
    const { host, port } = server.address
    const connection = await connect(undefined, {
      host,
      port,
      user: 'app',
      ssl: false,
      statementCacheSize: 0,
    })
    const left = connection.fetchVal('select n', [], { signal: controller.signal })
    const next = connection.fetchVal('select n')
    process.nextTick(() => controller.abort(reason))
    await expect(left).rejects.toBe(reason)
    expect(await next).toBe(2)
    expect(syncs).toEqual(['PDHS', 'PDHBES'])
    await connection.terminate()
  })
})
