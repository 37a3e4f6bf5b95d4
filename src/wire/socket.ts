import type net from 'node:net'
import type tls from 'node:tls'
import { onAbort } from '../deadline.ts'
import { ConnectError } from '../errors.ts'

export type Socket = net.Socket | tls.TLSSocket

const ignore = () => {}

/** Closes a socket for good; an error that it still has to tell hurts nobody. */
export function discard(socket: Socket): void {
  socket.on('error', ignore)
  socket.destroy()
}

/**
 * Waits for one event of a socket that is being opened. Where the socket fails or closes first, or `signal`
 * aborts, the socket is discarded and the promise rejects. Afterwards none of the listeners is left.
 *
 * @param listen starts to wait, and returns what takes its listeners off again
 */
export function opening<T>(
  socket: Socket,
  signal: AbortSignal,
  listen: (done: (value: T) => void, fail: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      stopListening()
      stopWatching()
      socket.off('error', fail)
      socket.off('close', closed)
    }
    const done = (value: T) => {
      stop()
      resolve(value)
    }
    const fail = (error: unknown) => {
      stop()
      discard(socket)
      reject(error)
    }
    const closed = () => fail(new ConnectError('the server closed the connection'))
    socket.on('error', fail)
    socket.on('close', closed)
    const stopWatching = onAbort(signal, fail)
    const stopListening = listen(done, fail)
  })
}
