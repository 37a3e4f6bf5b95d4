import { once } from 'node:events'
import { Socket } from 'node:net'
import pg from 'pg'

/** A socket of a session that is logged in. */
export interface RawSocket {
  /** What arrives. The chunk is valid during the call only. Default: ignored. */
  take: (chunk: Buffer) => void
  write(bytes: Uint8Array): void
  close(): Promise<void>
}

/** node-postgres logs in; then the socket is taken from it. It reads into one buffer, again and again. */
export async function openRawSocket(dsn: string): Promise<RawSocket> {
  let login = true
  const onread = {
    buffer: Buffer.allocUnsafe(1 << 16),
    callback(bytes: number, buffer: Uint8Array) {
      const chunk = (buffer as Buffer).subarray(0, bytes)
      if (login) socket.emit('data', Buffer.from(chunk))
      else raw.take(chunk)
      return true
    },
  }
  // The types know this option of Socket.connect only.
  const socket = new Socket({ onread } as object)
  const raw: RawSocket = {
    take: () => {},
    write: (bytes) => socket.write(bytes),
    async close() {
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
    },
  }
  const client = new pg.Client({ connectionString: dsn, stream: () => socket })
  client.on('error', () => {})
  await client.connect()
  login = false
  return raw
}
