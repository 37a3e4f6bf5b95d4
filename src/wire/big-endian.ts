/** The Int32 at `at`, which lies within `bytes`. As plain arithmetic it costs less than a method of Buffer, which checks. */
export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
