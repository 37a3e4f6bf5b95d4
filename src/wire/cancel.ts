import { type Clock, onAbort, systemClock } from '../deadline.ts'
import { OutBuffer } from './out-buffer.ts'
import { discard, opening, type Socket } from './socket.ts'
import type { EstablishedSession } from './startup.ts'
import { openTransport } from './transport.ts'

/** Which session is to be cancelled, and how its server is reached. */
export type CancelTarget = Pick<EstablishedSession, 'address' | 'tls' | 'processId' | 'secretKey'>

const cancelRequestCode = 80_877_102

/**
 * Asks the server to cancel what the session runs: CancelRequest on a connection of its own, to the same IP address,
 * encrypted where the session is. See "Canceling Requests in Progress" (protocol-flow-canceling-requests).
 *
 * The server acts on the request before it closes that connection. So once this resolves with `true`, the cancel has
 * done what it will do, and cannot hit a statement that is sent later.
 *
 * @param timeoutMs milliseconds; 0: no limit
 * @param signal lets the request be, once it is aborted
 * @returns never rejects. `true`: the server has closed the cancel's connection. `false`: the request could not be
 *   sent, or the time ran out; it may still take effect.
 */
export async function sendCancel(
  session: CancelTarget,
  timeoutMs: number,
  clock: Clock = systemClock,
  signal?: AbortSignal,
): Promise<boolean> {
  if (session.secretKey.length === 0) return false
  const expiry = new AbortController()
  const stopWatching = onAbort(signal, () => expiry.abort())
  const timer = timeoutMs === 0 ? undefined : clock.setTimer(timeoutMs, () => expiry.abort())
  try {
    const { socket } = await openTransport(session.address, session.tls, expiry.signal)
    await exchange(socket, cancelRequest(session), expiry.signal)
    return true
  } catch {
    return false
  } finally {
    timer?.cancel()
    stopWatching()
  }
}

function cancelRequest(session: CancelTarget): Buffer {
  const out = new OutBuffer(16)
  out.int32(12 + session.secretKey.length)
  out.int32(cancelRequestCode)
  out.int32(session.processId)
  out.bytes(session.secretKey)
  return out.take()
}

/**
 * Writes the request and waits for the server to close. Our side stays open until then: a proxy may drop the request
 * of a client that has already left.
 */
function exchange(socket: Socket, request: Buffer, signal: AbortSignal): Promise<void> {
  return opening(socket, signal, (done) => {
    const ended = () => {
      discard(socket)
      done()
    }
    socket.once('end', ended)
    socket.resume()
    socket.write(request)
    return () => socket.off('end', ended)
  })
}
