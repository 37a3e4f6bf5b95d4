import { arrayCodec } from './array.ts'
import { binaryFormat, type Codec, refused } from './codec.ts'
import { compositeCodec } from './composite.ts'
import { TypeConfiguration, type TypeIdentity } from './configuration.ts'
import { textCodec } from './text.ts'

/** What the server's catalog says of a type that is none of PostgreSQL's own. */
export interface TypeDescription extends TypeIdentity {
  readonly kind: 'enum' | 'domain' | 'array' | 'composite' | 'other'
  /** The OID of an array's element type, or of a domain's base type; 0: none. */
  readonly inner: number
  /** What separates the elements in an array's text. */
  readonly delimiter: string
  readonly attributes: readonly { readonly name: string; readonly oid: number }[]
}

/**
 * The types of one connection: PostgreSQL's own as the configuration has them, and those that the connection had to
 * ask for. Other connections may be to other databases, where an OID means another type.
 */
export class TypeRegistry {
  readonly #configuration: TypeConfiguration
  readonly #onOutdated: (certain: boolean) => void
  /** Made for the first of them. */
  #learned: Map<number, Codec> | undefined

  /**
   * @param onOutdated called where a value from the server showed that what was learned is not so any more, and where
   * one of the caller's made it likely; all of it is forgotten
   */
  constructor(configuration = new TypeConfiguration(), onOutdated: (certain: boolean) => void = () => {}) {
    this.#configuration = configuration
    this.#onOutdated = onOutdated
  }

  /** Those of the types that must be learned before a value of theirs is read or written, each once. */
  unknown(oids: readonly number[]): number[] {
    return [...new Set(oids.filter((oid) => !this.#isKnown(oid)))]
  }

  /** The codec of a type; the type's text where it was never learned. */
  codec(oid: number): Codec {
    return this.#configuration.codec(oid) ?? this.#learned?.get(oid) ?? textCodec(`the type with OID ${oid}`)
  }

  codecs(oids: readonly number[]): Codec[] {
    return oids.map((oid) => this.codec(oid))
  }

  /** Takes what the server says of the types `asked` for and of those that they are made of. */
  learn(asked: readonly number[], descriptions: readonly TypeDescription[]): void {
    this.#learned ??= new Map()
    const learned = this.#learned
    const described = new Map(descriptions.map((description) => [description.oid, description]))
    const making = new Set<number>()
    const codecFor = (oid: number): Codec => {
      const description = described.get(oid)
      if (this.#isKnown(oid) || description === undefined || making.has(oid)) return this.codec(oid)
      making.add(oid)
      const codec = this.#configuration.overridden(this.#make(description, codecFor), description)
      learned.set(oid, codec)
      return codec
    }
    for (const oid of described.keys()) codecFor(oid)
    // A type that went meanwhile is not asked for again and again.
    for (const oid of this.unknown(asked)) learned.set(oid, this.codec(oid))
  }

  /** Whatever was learned is asked for again. */
  forget(): void {
    this.#learned = undefined
  }

  #isKnown(oid: number): boolean {
    return this.#configuration.codec(oid) !== undefined || this.#learned?.has(oid) === true
  }

  #make(description: TypeDescription, codecFor: (oid: number) => Codec): Codec {
    const { kind, inner, delimiter, attributes } = description
    const name = displayName(description)
    switch (kind) {
      case 'enum':
        return enumCodec(name)
      case 'domain':
        return { ...codecFor(inner), name }
      case 'array':
        return arrayCodec(codecFor(inner), inner, delimiter)
      case 'composite':
        return compositeCodec(
          name,
          attributes.map((attribute) => ({ ...attribute, codec: codecFor(attribute.oid) })),
          (certain) => this.outdated(certain),
        )
      default:
        return textCodec(name)
    }
  }

  /** Forgets whatever was learned: for certain, or as a guess, it is not so any more. */
  outdated(certain: boolean): void {
    if (!this.#learned?.size) return
    this.forget()
    this.#onOutdated(certain)
  }
}

function displayName({ schema, name }: TypeIdentity): string {
  return schema === 'public' || schema === 'pg_catalog' ? name : `${schema}.${name}`
}

/** A label is its text in both formats; which there are is the server's business, as they may become more. */
function enumCodec(name: string): Codec {
  const label = textCodec(name, binaryFormat)
  return {
    ...label,
    prepare(value) {
      if (typeof value !== 'string') throw refused('one of its labels as a string', value)
      return value
    },
  }
}
