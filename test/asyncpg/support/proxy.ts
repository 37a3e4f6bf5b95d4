import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished } from 'vitest'

/** A network between a client and a server that can be made to fail. */
export interface TestProxy {
  port: number
  /** `dsn`, by way of the proxy. */
  reach(dsn: string): string
  /** Nothing passes any more, either way, and nobody is told. New connections are accepted, and silent too. */
  silence(): void
  /** What was held back passes, and what comes after it. */
  restore(): void
  /** Every connection is reset on both sides. */
  cut(): void
}

/** Starts one in front of `target`; it ends with the test. */
export async function startProxy(target: { host: string; port: number }): Promise<TestProxy> {
  const sockets = new Set<net.Socket>()
  let silent = false

  const join = (from: net.Socket, to: net.Socket) => {
    sockets.add(from)
    from.on('data', (chunk) => to.write(chunk))
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    if (silent) from.pause()
  }
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const upstream = net.connect({ ...target, allowHalfOpen: true })
    join(client, upstream)
    join(upstream, client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  const { port } = server.address() as net.AddressInfo
  return {
    port,
    reach: (dsn) => {
      const url = new URL(dsn)
      url.port = String(port)
      return url.href
    },
    silence: () => {
      silent = true
      for (const socket of sockets) socket.pause()
    },
    restore: () => {
      silent = false
      for (const socket of sockets) socket.resume()
    },
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy()
    },
  }
}
