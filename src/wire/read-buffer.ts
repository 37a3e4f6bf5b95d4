import type net from 'node:net'

/**
 * Where all sockets read into: whoever hears of what one has read is done with it, or has copied it, before another
 * reads. So an idle connection needs no buffer, and a busy one no new one for each read.
 */
const incoming = Buffer.allocUnsafeSlow(65_536)

/** Node tells of what it has read before it reads again; the sockets of others may have several reads under way. */
const readsInTurn = process.versions.bun === undefined && process.versions.deno === undefined

/**
 * Has a socket read into a buffer that is there already, where the runtime allows it. Its 'data' event is the usual one,
 * but for its bytes, which are only valid during the event. What comes while nobody listens is kept.
 *
 * @param socket the one that is opened with these options; asked when it has read something
 */
export function readBuffer(socket: () => net.Socket): { onread?: net.OnReadOpts } {
  if (!readsInTurn) return {}
  return {
    onread: {
      buffer: incoming,
      callback(length, buffer) {
        const bytes = buffer.subarray(0, length)
        return socket().emit('data', bytes) || socket().push(Buffer.from(bytes))
      },
    },
  }
}
