import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

describe.for(servers())('on PostgreSQL $major', ({ host, port, ...server }) => {
  let proxy: FaultProxy
  let pool: Pool
  /** The types of the messages that the server was sent. */
  let sent: string[]

  beforeAll(async () => {
    proxy = await FaultProxy.start({ host, port })
    proxy.toServer.rewriteMessages((message) => {
      sent.push(message.type)
      return message
    })
    sent = []
    const dsn = await freshDatabase({ host, port, ...server })
    pool = await createPool(proxy.through(dsn), { minSize: 1, maxSize: 1, ssl: false, reset: 'never' })
  })

  afterAll(async () => {
    await pool.close()
    await proxy.close()
  })

  it.for<[what: string, sql: string, fine: unknown[], args: unknown[], code: string]>([
    ['NUL in a text', 'select $1::text', ['a'], ['a\0b'], 'ROCKPOOL_DATA'],
    ['NUL in a text of an array', 'select $1::text[]', [['a']], [['a\0b']], 'ROCKPOOL_DATA'],
    ['a value of 2³¹ bytes', 'select $1::bytea', [Buffer.alloc(1)], [Buffer.alloc(2 ** 31)], 'ROCKPOOL_DATA'],
    ['undefined', 'select $1::int', [1], [undefined], 'ROCKPOOL_DATA'],
    ['too many arguments', 'select $1::int', [1], [1, 2], 'ROCKPOOL_INTERFACE'],
    ['too few arguments', 'select $1::int', [1], [], 'ROCKPOOL_INTERFACE'],
    ['65,536 arguments', 'select $1::int', [1], Array(65_536).fill(1), 'ROCKPOOL_INTERFACE'],
  ])('%s is refused before a byte of it is written', async ([, sql, fine, args, code]) => {
    await pool.fetch(sql, fine)
    sent = []
    await expect(pool.fetch(sql, args)).rejects.toMatchObject({ code, outcome: 'not-sent' })
    // What does not fit may fit the type that the parameter has by now, so the statement may be described again.
    for (const type of ['B', 'E', 'Q']) expect(sent).not.toContain(type)
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(pool.stats().totals.opened).toBe(1)
  })

  it('NUL in the statement is refused before a byte is written', async () => {
    sent = []
    await expect(pool.fetch("select 'a\0b'")).rejects.toMatchObject({ outcome: 'not-sent' })
    expect(sent).toEqual([])
    expect(await pool.fetchVal('select 1')).toBe(1)
  })

  it('65,536 placeholders are refused by the server, and the connection serves on', async () => {
    const placeholders = Array.from({ length: 65_536 }, (_, i) => `$${i + 1}::int`)
    const call = pool.fetch(`select array[${placeholders}]`, Array(65_536).fill(1))
    await expect(call).rejects.toMatchObject({ outcome: expect.stringMatching(/not-sent|failed/) })
    expect(await pool.fetchVal('select 1')).toBe(1)
    expect(pool.stats().totals.opened).toBe(1)
  })
})
