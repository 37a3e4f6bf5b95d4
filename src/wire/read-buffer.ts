import type net from 'node:net'

/** Enough for the answers of short statements. */
const atFirst = 8_192
/** What is read at once where more comes. */
const atMost = 65_536

/**
 * Has a socket read into one buffer, again and again, in place of a new one for each read. Its 'data' event is the usual
 * one, but for its bytes, which are only valid during the event; there is no 'readable'.
 *
 * @param socket the one that is opened with these options; asked when it has read something
 */
export function readBuffer(socket: () => net.Socket): net.OnReadOpts {
  let buffer = Buffer.allocUnsafeSlow(atFirst)
  let wasFilled = false
  return {
    buffer() {
      if (wasFilled && buffer.length < atMost) buffer = Buffer.allocUnsafeSlow(atMost)
      return buffer
    },
    callback(bytes) {
      wasFilled = bytes === buffer.length
      return socket().emit('data', buffer.subarray(0, bytes))
    },
  }
}
