import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Keeps `folder` for this process until the returned function is called or the process ends, however it ends. A
 * local socket is the lock: unlike a file with a process id in it, it cannot outlive its process.
 *
 * @throws Error where another process keeps the folder.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const address = addressOf(folder)
  const lock = (await listening(address)) ?? (await inheritDeadFile(address))
  if (lock === undefined) {
    throw new Error(
      `${folder} is in use by another running service: stop that one, or set ROCKPOOL_DATA_DIR or DATABASE_URL`,
    )
  }
  lock.unref()
  return async () => {
    lock.close()
    await once(lock, 'close')
  }
}

function addressOf(folder: string): string {
  const name = `rockpool-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`
  if (process.platform === 'linux') return `\0${name}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`
  return join(tmpdir(), `${name}.sock`)
}

async function listening(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy())
  try {
    server.listen(address)
    await once(server, 'listening')
    return server
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
}

/** Where the socket is a file, it stays behind when its process is killed; nobody answers on it then. */
async function inheritDeadFile(address: string): Promise<Server | undefined> {
  if (process.platform === 'linux' || process.platform === 'win32') return undefined
  const probe = connect(address)
  try {
    await once(probe, 'connect')
    return undefined
  } catch {
    await rm(address, { force: true })
    return listening(address)
  } finally {
    probe.destroy()
  }
}
