import { InterfaceError } from '../../errors.ts'
import { arrayCodec } from './array.ts'
import { builtInTypes, delimiterOf } from './catalog.ts'
import type { Codec } from './codec.ts'
import { float4, float8, numeric } from './decimals.ts'
import { type Int8Result, int2, int4, int8Codec, unsignedCodec } from './integers.ts'
import { bool, bytea, json, jsonb, uuid } from './scalars.ts'
import { textCodec, textKinds } from './text.ts'
import { interval, time, timetz } from './times.ts'
import { date, type TimestamptzResult, timestamp, timestamptzCodec } from './timestamps.ts'

/** How results of a type appear, where JavaScript offers more than one way. */
export interface TypeOptions {
  /**
   * `'number'` (default): outside ±(2^53-1) the value is refused with a DataError; `'bigint'`, `'string'`: always
   * exact. Elements of int8[] follow it too.
   */
  int8?: Int8Result | undefined
  /** `'date'` (default): a Date, to the millisecond; `'string'`: `2026-01-02T03:04:05.678901Z`, to the microsecond. */
  timestamptz?: TimestamptzResult | undefined
}

const choices: Record<keyof TypeOptions, readonly string[]> = {
  int8: ['number', 'bigint', 'string'],
  timestamptz: ['date', 'string'],
}

function checkOptions(options: TypeOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const allowed = Object.hasOwn(choices, name) ? choices[name as keyof TypeOptions] : undefined
    if (allowed === undefined) {
      throw new InterfaceError(`types.${name}: unknown option; there are ${Object.keys(choices).join(', ')}`)
    }
    if (value !== undefined && !allowed.includes(value)) {
      throw new InterfaceError(
        `types.${name}: give one of ${allowed.map((choice) => `'${choice}'`).join(', ')}`,
      )
    }
  }
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

/**
 * The codec of each type, made once for a connection's configuration.
 *
 * A type without a codec is its text both ways. Text depends on the session's settings where its type does: money
 * on lc_monetary, ranges and composites of dates and times on DateStyle, IntervalStyle and TimeZone, those of
 * bytea on bytea_output. The types with a binary form, dates, times, floats and bytea among them, are read in it
 * and depend on none.
 */
export class TypeRegistry {
  readonly #codecs = new Map<number, Codec>()

  /** @throws InterfaceError naming the option that is unknown or has a value it does not take. */
  constructor(options: TypeOptions = {}) {
    checkOptions(options)
    const own = new Map(
      [
        ...sameUnderAllOptions,
        int8Codec(options.int8 ?? 'number'),
        timestamptzCodec(options.timestamptz ?? 'date'),
      ].map((codec) => [codec.name, codec]),
    )
    for (const [oid, arrayOid, name] of builtInTypes) {
      const codec = own.get(name) ?? textCodec(name)
      this.#codecs.set(oid, codec)
      this.#codecs.set(arrayOid, arrayCodec(codec, oid, delimiterOf(name)))
    }
    this.#codecs.set(unknownOid, own.get('unknown')!)
  }

  codec(oid: number): Codec {
    let codec = this.#codecs.get(oid)
    if (codec === undefined) {
      codec = textCodec(`the type with OID ${oid}`)
      this.#codecs.set(oid, codec)
    }
    return codec
  }

  codecs(oids: readonly number[]): Codec[] {
    return oids.map((oid) => this.codec(oid))
  }
}

/** A literal whose type nothing decides; it has no array type. */
const unknownOid = 705
