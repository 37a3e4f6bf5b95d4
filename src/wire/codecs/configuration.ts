import { arrayCodec } from './array.ts'
import { builtInTypes, delimiterOf } from './catalog.ts'
import type { Codec } from './codec.ts'
import { float4, float8, numeric } from './decimals.ts'
import { type Int8Result, int2, int4, int8Codec, unsignedCodec } from './integers.ts'
import { checkTypeOptions, overridden, type TypeOptions, type TypeOverride } from './overrides.ts'
import { bool, bytea, json, jsonb, uuid } from './scalars.ts'
import { textCodec, textKinds } from './text.ts'
import { interval, time, timetz } from './times.ts'
import { date, type TimestamptzResult, timestamp, timestamptzCodec } from './timestamps.ts'

/** How a type is known: an option may name it by its name, that with its schema, or its OID. */
export interface TypeIdentity {
  readonly oid: number
  readonly schema: string
  readonly name: string
}

const sameUnderAllOptions: readonly Codec[] = [
  ...textKinds,
  ...['oid', 'xid', 'cid'].map(unsignedCodec),
  bool,
  bytea,
  date,
  float4,
  float8,
  int2,
  int4,
  interval,
  json,
  jsonb,
  numeric,
  time,
  timestamp,
  timetz,
  uuid,
]

const int8Results = new Set<unknown>(['number', 'bigint', 'string'] satisfies Int8Result[])
const timestamptzResults = new Set<unknown>(['date', 'string'] satisfies TimestamptzResult[])

/**
 * The codecs of PostgreSQL's own types, made once for a connection's configuration, and the configuration's
 * overrides for all others. A type without a codec is its text both ways.
 */
export class TypeConfiguration {
  readonly #options: ReadonlyMap<string, TypeOptions[string]>
  readonly #codecs = new Map<number, Codec>()

  /** @throws InterfaceError naming the option that has a value it does not take. */
  constructor(options: TypeOptions = {}) {
    checkTypeOptions(options)
    this.#options = new Map(Object.entries(options).filter(([, option]) => option !== undefined))
    const { int8, timestamptz } = options
    const own = new Map(
      [
        ...sameUnderAllOptions,
        int8Codec(int8Results.has(int8) ? (int8 as Int8Result) : 'number'),
        timestamptzCodec(timestamptzResults.has(timestamptz) ? (timestamptz as TimestamptzResult) : 'date'),
      ].map((codec) => [codec.name, codec]),
    )
    for (const [oid, arrayOid, name] of builtInTypes) {
      const identity = { oid, schema: 'pg_catalog', name }
      const codec = this.overridden(own.get(name) ?? textCodec(name), identity)
      this.#codecs.set(oid, codec)
      this.#codecs.set(arrayOid, arrayCodec(codec, oid, delimiterOf(name)))
    }
    this.#codecs.set(unknownOid, own.get('unknown')!)
    const nothing = { oid: voidOid, schema: 'pg_catalog', name: 'void' }
    this.#codecs.set(voidOid, this.overridden(textCodec('void'), nothing))
  }

  /** The codec of one of PostgreSQL's own types; `undefined`: the type must be asked for. */
  codec(oid: number): Codec | undefined {
    return this.#codecs.get(oid)
  }

  /** `own`, or what the configuration has in its place. */
  overridden(own: Codec, { oid, schema, name }: TypeIdentity): Codec {
    for (const key of [String(oid), `${schema}.${name}`, name]) {
      const option = this.#options.get(key)
      if (option === undefined) continue
      return option === 'text' || typeof option === 'object' ? overridden(own, option as TypeOverride) : own
    }
    return own
  }
}

/** A literal whose type nothing decides; it has no array type. */
const unknownOid = 705
/** What functions give that give nothing, `pg_sleep` among them; it has no array type either. */
const voidOid = 2278
