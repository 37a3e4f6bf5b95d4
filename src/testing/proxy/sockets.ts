import type net from 'node:net'

/** Closes at once, by RST where there is a TCP connection to reset; what was not sent yet is not sent. */
export function resetSocket(socket: net.Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
