import type { Turn } from './recordings.ts'

/** One message as it goes over the wire: its type, its length, which may lie, and its body. */
export interface Frame {
  /** The turn in which it is said, counted from 0. */
  turn: number
  bytes: Buffer
}

const header = 5

/** The messages of a recording. One that was cut between two turns is said in the first. */
export function framesOf(turns: readonly Turn[]): Frame[] {
  const starts: number[] = []
  let length = 0
  for (const { bytes } of turns) {
    starts.push(length)
    length += bytes.length
  }
  const all = Buffer.concat(turns.map((turn) => turn.bytes))
  const frames: Frame[] = []
  for (let at = 0; at < all.length; ) {
    const end = at + 1 + all.readInt32BE(at + 1)
    const turn = starts.findLastIndex((start) => start <= at)
    frames.push({ turn, bytes: all.subarray(at, end) })
    at = end
  }
  return frames
}

/** A message whose length is right. */
export function frame(type: string | number, ...body: (Buffer | string | number)[]): Buffer {
  const parts = body.map((part) => (typeof part === 'number' ? int32(part) : Buffer.from(part)))
  const whole = Buffer.concat(parts)
  const code = typeof type === 'string' ? type.charCodeAt(0) : type
  return Buffer.concat([Buffer.of(code), int32(whole.length + 4), whole])
}

export const int16 = (value: number): Buffer => int32(value << 16).subarray(0, 2)

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

export const typeOf = (bytes: Buffer): string => String.fromCharCode(bytes[0] ?? 0)

export const bodyOf = (bytes: Buffer): Buffer => bytes.subarray(header)

/** The same message with another body, and the length that goes with it. */
export function withBody(bytes: Buffer, body: Buffer): Buffer {
  return frame(bytes[0] ?? 0, body)
}

/** Where the Int32 lengths of a DataRow's values lie within its body. */
export function valueLengths(body: Buffer): number[] {
  const places: number[] = []
  for (let at = 2; at + 4 <= body.length; at += 4 + Math.max(0, body.readInt32BE(at))) places.push(at)
  return places
}

/** Where the Int32 type OIDs of a RowDescription's fields lie within its body. */
export function fieldTypes(body: Buffer): number[] {
  const places: number[] = []
  for (let at = 2; at < body.length; ) {
    const end = body.indexOf(0, at)
    if (end < 0 || end + 19 > body.length) break
    places.push(end + 7)
    at = end + 19
  }
  return places
}
