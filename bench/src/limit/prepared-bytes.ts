/** The messages that the limit sends and reads, as bytes. */

const statementName = 'limit'

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.from(`${type}....`, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const text = (value: string) => Buffer.from(`${value}\0`)
const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const int32 = (value: number) => Buffer.from([value >> 24, value >> 16, value >> 8, value])

const sync = message('S')

/** Parse and Sync of a statement with one bigint. */
export function parse(sql: string): Buffer {
  return Buffer.concat([message('P', text(statementName), text(sql), int16(1), int32(20)), sync])
}

/** Bind, Execute and Sync: the argument and the results in binary. */
export const request = Buffer.concat([
  message(
    'B',
    text(''),
    text(statementName),
    ...[int16(1), int16(1)],
    ...[int16(1), int32(8), Buffer.alloc(8)],
    ...[int16(1), int16(1)],
  ),
  message('E', text(''), int32(0)),
  sync,
])

/** Where the lower half of the argument stands in `request`. */
export const argumentAt = request.indexOf(int32(8), request.indexOf(statementName)) + 8

/** The types of messages that matter. */
export const type = { dataRow: 0x44, error: 0x45, ready: 0x5a }

/** Where the lower half of a bigint in the first column stands in a DataRow. */
export const firstColumnAt = 1 + 4 + 2 + 4 + 4
