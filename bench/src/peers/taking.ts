import { Writable } from 'node:stream'

/** A stream that hands over each chunk. */
export function taking(take: (chunk: Uint8Array) => void): Writable {
  return new Writable({
    write(chunk, _, taken) {
      take(chunk)
      taken()
    },
  })
}
