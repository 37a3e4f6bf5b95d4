import type net from 'node:net'

/**
 * Closes at once, by RST where it is TCP; what was not sent yet is not sent. A connection that is still being opened is
 * reset when it is open.
 */
export function resetSocket(socket: net.Socket): void {
  if (socket.connecting) {
    socket.once('connect', () => resetSocket(socket))
    return
  }
  // Not a unix socket, nor one with an end that waits for the receiver: libuv resets neither.
  const canReset = socket.remoteAddress !== undefined && socket.writableEnded === socket.writableFinished
  if (canReset) socket.resetAndDestroy()
  else socket.destroy()
}

/** Calls `then` when whoever reads in this process had the chance to: the loop polls between two of its turns. */
export function afterTurn(then: () => void): void {
  setImmediate(() => setImmediate(then))
}
