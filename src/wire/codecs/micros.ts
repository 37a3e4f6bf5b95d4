import { int32At } from '../big-endian.ts'
import type { OutBuffer } from '../out-buffer.ts'

const microsPerSecond = 1_000_000
const twoTo32 = 0x1_0000_0000

/*
 * An Int64 of microseconds outgrows a double's 53 bits, its seconds do not. With the Int64 as
 * high * 2^32 + low, and 2^32 µs as 4294 s + 967296 µs, every intermediate result below is an exact integer.
 */
const secondsPerHigh = 4294
const microsPerHigh = 967_296

function lowMicros(bytes: Buffer, at: number): number {
  return int32At(bytes, at) * microsPerHigh + uint32At(bytes, at + 4)
}

function uint32At(bytes: Buffer, at: number): number {
  return int32At(bytes, at) >>> 0
}

/** The whole seconds, rounded down, of the Int64 of microseconds at `at`. */
export function secondsAt(bytes: Buffer, at: number): number {
  return int32At(bytes, at) * secondsPerHigh + Math.floor(lowMicros(bytes, at) / microsPerSecond)
}

/** The same for milliseconds, of which 2^32 µs are 4294967, and 296 µs. Beyond 2^53 it is rounded. */
export function millisAt(bytes: Buffer, at: number): number {
  const high = int32At(bytes, at)
  return high * 4_294_967 + Math.floor((high * 296 + uint32At(bytes, at + 4)) / 1000)
}

/** Appends the Int64 of whole milliseconds, and 0 to 999 microseconds above them, in microseconds. */
export function writeMicros(millis: number, micros: number, out: OutBuffer): void {
  const high = Math.floor(millis / twoTo32)
  const low = (millis - high * twoTo32) * 1000 + micros
  const carry = Math.floor(low / twoTo32)
  out.int32(high * 1000 + carry)
  out.int32(low - carry * twoTo32)
}

/** The microseconds, 0 to 999999, above `secondsAt`. */
export function microsAt(bytes: Buffer, at: number): number {
  const low = lowMicros(bytes, at)
  return low - Math.floor(low / microsPerSecond) * microsPerSecond
}

export function writeInfinity(sign: number, out: OutBuffer): void {
  out.int32(sign > 0 ? 0x7fff_ffff : -0x8000_0000)
  out.int32(sign > 0 ? -1 : 0)
}

/** The sign of the infinity that stands at `at`; 0 for a finite value. */
export function infinityAt(bytes: Buffer, at: number): -1 | 0 | 1 {
  const high = int32At(bytes, at)
  if (high === 0x7fff_ffff && uint32At(bytes, at + 4) === 0xffff_ffff) return 1
  if (high === -0x8000_0000 && uint32At(bytes, at + 4) === 0) return -1
  return 0
}
