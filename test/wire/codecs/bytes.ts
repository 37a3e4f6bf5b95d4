import type { Codec } from '../../../src/wire/codecs/index.ts'
import { TypeRegistry } from '../../../src/wire/codecs/index.ts'
import { OutBuffer } from '../../../src/wire/out-buffer.ts'

/** OIDs by name, as pg_type has them. */
export const oids = {
  bool: 16,
  bytea: 17,
  char: 18,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  box: 603,
  float4: 700,
  float8: 701,
  inet: 869,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
  'int8[]': 1016,
  'int4[]': 1007,
  'text[]': 1009,
  'inet[]': 1041,
  'box[]': 1020,
  'json[]': 199,
  'jsonb[]': 3807,
  'timestamptz[]': 1185,
} as const

export type TypeName = keyof typeof oids

const defaults = new TypeRegistry()

export function codecOf(name: TypeName, registry = defaults): Codec {
  return registry.codec(oids[name])
}

/** The bytes that a parameter's value has in Bind. The buffer starts tiny, so that every writer has to make room. */
export function encode(codec: Codec, value: unknown): Buffer {
  const out = new OutBuffer(1)
  codec.encode(codec.prepare === undefined ? value : codec.prepare(value), out)
  return out.take()
}

/** Decodes `bytes` from amidst others, as in a message: reading beside them would show. */
export function decode(codec: Codec, bytes: Buffer): unknown {
  const before = Buffer.from([0x5a, 0xff, 0x22])
  return codec.decode(Buffer.concat([before, bytes, before]), before.length, before.length + bytes.length)
}

export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

export function int32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeInt32BE(value, 4 * i)
  return bytes
}
