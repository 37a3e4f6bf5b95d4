import { describe, expect, test } from 'vitest'
import { connect } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

/** A socket reads into the same memory again and again. */
describe.for(servers())('what was read stays as it was, PostgreSQL $major', (server) => {
  const length = 5_000
  const filled = (character: string) => Buffer.alloc(length, character)

  test('a value, when the next answer is read', async () => {
    const connection = await connect(await freshDatabase(server))
    const ask = (character: string) =>
      connection.fetchRow<{ bytes: Buffer; text: string }>(
        'select convert_to(repeat($1, $2::int), $3) as bytes, repeat($1, $2::int) as text',
        [character, length, 'UTF8'],
      )
    const one = await ask('1')
    const other = await ask('2')
    expect(one).toEqual({ bytes: filled('1'), text: '1'.repeat(length) })
    expect(other).toEqual({ bytes: filled('2'), text: '2'.repeat(length) })
    await connection.close()
  })

  test('a piece of a COPY, when the next is read', async () => {
    const connection = await connect(await freshDatabase(server))
    const pieces: Buffer[] = []
    const rows = 200
    const sql = 'select repeat($1, $2::int) from generate_series(1, $3::int)'
    await connection.copyFromQuery(sql, ['x', length, rows], {
      output: (piece: Buffer) => {
        pieces.push(piece)
      },
    })
    expect(pieces.length).toBeGreaterThan(1)
    expect(Buffer.concat(pieces).toString()).toBe(`${'x'.repeat(length)}\n`.repeat(rows))
    await connection.close()
  })
})
