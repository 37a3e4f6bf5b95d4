import type { TypeDescription } from '../../wire/codecs/index.ts'
import { brokenProtocol } from '../../wire/frame-reader.ts'

const kinds: readonly string[] = [
  'enum',
  'domain',
  'array',
  'composite',
  'other',
] satisfies TypeDescription['kind'][]

/** Reads the JSON that the question for types asks for. @throws ConnectionLostError where it is something else */
export function readTypeDescription(text: string): TypeDescription {
  const description = parsed(text)
  if (!isDescription(description)) throw brokenProtocol('a type was described by something else')
  return description
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isDescription(value: unknown): value is TypeDescription {
  if (!isRecord(value)) return false
  const { oid, schema, name, kind, inner, delimiter, attributes } = value
  return (
    isOid(oid) &&
    typeof schema === 'string' &&
    typeof name === 'string' &&
    typeof kind === 'string' &&
    kinds.includes(kind) &&
    isOid(inner) &&
    typeof delimiter === 'string' &&
    delimiter.length === 1 &&
    Array.isArray(attributes) &&
    attributes.every((part: unknown) => isRecord(part) && typeof part.name === 'string' && isOid(part.oid))
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isOid(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff
}
