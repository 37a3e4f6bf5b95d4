import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect, QueryTimeoutError } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

/** Rejections other than a time-out fail the test. */
async function timedOut(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return false
  } catch (error) {
    expect(error).toBeInstanceOf(QueryTimeoutError)
    return true
  }
}

describe.for(servers())('R8: time-outs that race with the end of a COPY on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeAll(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
    await connection.execute('create table numbers (n int)')
  })

  afterAll(() => connection.terminate())

  it('never reach a neighbour, and leave all rows or none', async () => {
    const lines = Array.from({ length: 4_000 }, (_, i) => `${i}\n`)
    let late = 0
    for (let i = 0; i < 60; i++) {
      const before = await connection.fetchVal<number>('select count(*)::int from numbers')
      const copying = connection.copyToTable('numbers', { source: lines, timeout: 1 + (i % 6) })
      const neighbour = connection.fetchVal('select $1::int', [i])
      const wasLate = await timedOut(copying)
      if (wasLate) late++
      expect(await neighbour).toBe(i)
      const after = await connection.fetchVal<number>('select count(*)::int from numbers')
      expect([0, lines.length]).toContain(after! - before!)
      if (!wasLate) expect(after! - before!).toBe(lines.length)
    }
    expect(late).toBeGreaterThan(0)
  })

  it('never reach a neighbour of a COPY to an output', async () => {
    for (let i = 0; i < 60; i++) {
      const copying = connection.copyFromQuery('select generate_series(1, 20000)', [], {
        output: () => {},
        timeout: 1 + (i % 8),
      })
      const neighbour = connection.fetchVal('select $1::int', [i])
      await timedOut(copying)
      expect(await neighbour).toBe(i)
      expect(await connection.fetchVal('select $1::int', [i])).toBe(i)
    }
  })

  it.for([
    [
      'the names of its columns',
      (copying: Connection, timeout: number) =>
        copying.copyRecordsToTable('numbers', { records: [[1]], timeout }),
    ],
    [
      'the types of its columns',
      (copying: Connection, timeout: number) =>
        copying.copyRecordsToTable('numbers', { records: [[1]], columns: ['n'], timeout }),
    ],
    [
      'its arguments',
      (copying: Connection, timeout: number) =>
        copying.copyFromQuery('select $1::int', [1], { output: () => {}, timeout }),
    ],
  ] as const)('a COPY whose time is over at the question for %s was not sent', async ([, copy]) => {
    await using proxy = await FaultProxy.start({ host: server.host, port: server.port })
    const copying = await connect(proxy.through(dsn), { cancelTimeout: '15s', ssl: 'disable' })
    // So that the questions are prepared, and are answered at once.
    await copy(copying, 0)
    const [session] = proxy.connections
    session!.toClient.hold()
    const cancel = proxy.nextConnection('cancel')
    const late = copy(copying, 50)
    await (await cancel).closed
    session!.toClient.resume()
    await expect(late).rejects.toMatchObject({ code: 'ROCKPOOL_QUERY_TIMEOUT', outcome: 'not-sent' })
    expect(await copying.fetchVal('select 1')).toBe(1)
    await copying.close()
  })
})
