import type { FieldDescription } from '../../src/wire/messages.ts'

/** The body of a DataRow. "DataRow" (protocol-message-formats). */
export function dataRow(values: readonly (Buffer | null)[]): Buffer {
  const parts: Buffer[] = []
  const count = Buffer.alloc(2)
  count.writeUInt16BE(values.length)
  parts.push(count)
  for (const value of values) {
    const length = Buffer.alloc(4)
    length.writeInt32BE(value === null ? -1 : value.length)
    parts.push(length)
    if (value !== null) parts.push(value)
  }
  return Buffer.concat(parts)
}

export function fieldsOf(names: readonly string[], typeOids: readonly number[]): FieldDescription[] {
  return names.map((name, i) => ({
    name,
    tableOid: 0,
    tableColumn: 0,
    typeOid: typeOids[i]!,
    typeSize: -1,
    typeModifier: -1,
  }))
}
