import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP connection to the service at `url`, which has read `sent` from it. It ends with the test. */
export async function rawClient(url: string, sent = ''): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  if (sent !== '') await new Promise((resolve) => socket.write(sent, resolve))
  // Asked later on another connection, so answered after `sent` was read.
  await (await fetch(`${url}/health/live`)).text()
  return socket
}

/** Whether the service at `url` has stopped listening. */
export async function refusesConnections(url: string): Promise<boolean> {
  const probe = request(`${url}/health/live`, { agent: false }).end()
  try {
    const [response] = await once(probe, 'response')
    response.resume()
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  }
}
