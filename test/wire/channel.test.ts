import { once } from 'node:events'
import net from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { Channel } from '../../src/wire/channel.ts'
import { readBuffer } from '../../src/wire/read-buffer.ts'
import { message } from './support/backend.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A channel, the server's end of it, and how many bytes of messages it has handed on. */
async function open() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const socket: net.Socket = net.connect({ port, host: '127.0.0.1', ...readBuffer(() => socket) })
  const [[peer]] = await Promise.all([
    once(server, 'connection') as Promise<[net.Socket]>,
    once(socket, 'connect'),
  ])
  const seen = { bytes: 0, heard: () => {} }
  const channel = new Channel(socket, Buffer.alloc(0), {
    message: (_type, _bytes, start, end) => {
      seen.bytes += end - start + 5
      seen.heard()
    },
    flushing: () => {},
    closed: () => {},
  })
  closing.push(async () => {
    peer.destroy()
    socket.destroy()
    server.close()
    await channel.whenClosed
  })
  return { channel, peer, seen }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const rows = Buffer.concat(Array(2_000).fill(message('D', Buffer.alloc(4_000))))

/** Waits until all rows were seen; returns how many bytes of them were seen in one turn at most. */
async function mostInTurn(seen: { bytes: number }): Promise<number> {
  let before = 0
  let most = 0
  while (seen.bytes < rows.length) {
    await turn()
    most = Math.max(most, seen.bytes - before)
    before = seen.bytes
  }
  return most
}

it('however much there is to read, others have their turn every few reads', async () => {
  const { peer, seen } = await open()
  peer.write(rows)
  expect(await mostInTurn(seen)).toBeLessThanOrEqual(400_000)
})

it('what was paused meanwhile stays paused until it is resumed', async () => {
  const { channel, peer, seen } = await open()
  channel.pause()
  peer.write(rows)
  for (let i = 0; i < 5; i++) await turn()
  expect(seen.bytes).toBe(0)
  channel.resume()
  while (seen.bytes < 300_000) await turn()
  channel.pause()
  const { bytes } = seen
  for (let i = 0; i < 20; i++) await turn()
  expect(seen.bytes).toBe(bytes)
  channel.resume()
  while (seen.bytes < rows.length) await turn()
})

it('who resumes while others have their turn does not take it from them', async () => {
  const { channel, peer, seen } = await open()
  seen.heard = () =>
    queueMicrotask(() => {
      channel.pause()
      channel.resume()
    })
  peer.write(rows)
  expect(await mostInTurn(seen)).toBeLessThanOrEqual(400_000)
})
