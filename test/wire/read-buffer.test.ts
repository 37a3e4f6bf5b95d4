import { once } from 'node:events'
import net from 'node:net'
import { expect, it } from 'vitest'
import { readBuffer } from '../../src/wire/read-buffer.ts'

/** A socket that reads into the buffer, and the other end of it. */
async function pair() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const socket: net.Socket = net.connect({ port, host: '127.0.0.1', ...readBuffer(() => socket) })
  const [[peer]] = await Promise.all([
    once(server, 'connection') as Promise<[net.Socket]>,
    once(socket, 'connect'),
  ])
  const close = async () => {
    peer.destroy()
    socket.destroy()
    server.close()
    await once(server, 'close')
  }
  return { socket, peer, close }
}

it('what comes while nobody listens is there for who listens next, before what comes later', async () => {
  const { socket, peer, close } = await pair()
  peer.write('one ')
  await once(socket, 'readable')
  const heard: string[] = []
  const last = new Promise<void>((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes.toString())
      if (heard.join('').endsWith('three')) resolve()
    })
  })
  socket.resume()
  peer.write('two ')
  peer.write('three')
  await last
  expect(heard.join('')).toBe('one two three')
  await close()
})

it('a paused socket reads nothing until it is resumed, and then all of it', async () => {
  const { socket, peer, close } = await pair()
  const length = 1_000_000
  let heard = 0
  let isPaused = false
  const all = new Promise<void>((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      expect(isPaused).toBe(false)
      heard += bytes.length
      if (heard === length) return resolve()
      isPaused = true
      socket.pause()
      setImmediate(() => {
        isPaused = false
        socket.resume()
      })
    })
  })
  peer.write(Buffer.alloc(length))
  await all
  await close()
})

it('sockets that read in turns have each its own bytes', async () => {
  const pairs = await Promise.all(Array.from({ length: 5 }, pair))
  await Promise.all(
    pairs.map(async ({ socket, peer }, i) => {
      let heard = ''
      const done = new Promise<void>((resolve) => {
        socket.on('data', (bytes: Buffer) => {
          heard += bytes.toString('latin1')
          if (heard.length === 300_000) resolve()
        })
      })
      peer.write(Buffer.alloc(300_000, String(i)))
      await done
      expect(heard).toBe(String(i).repeat(300_000))
    }),
  )
  await Promise.all(pairs.map(({ close }) => close()))
})
