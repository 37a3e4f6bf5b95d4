import { expect, onTestFinished, test } from 'vitest'
import { createPool, type Pool } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { freshDatabase } from '../support/servers.ts'
import { until } from '../support/until.ts'

/** BEGIN, seven parts, locks with the look for statements, COMMIT. */
const reset = 'BE'.repeat(10)

/** A pool of one connection; `writes` are the types of the messages of each write to the server. */
async function watched(): Promise<{ pool: Pool; writes: string[] }> {
  const dsn = await freshDatabase()
  const { hostname, port } = new URL(dsn)
  const proxy = await FaultProxy.start({ host: hostname, port: Number(port) })
  onTestFinished(() => proxy.close())
  const writes: string[] = []
  const pool = await createPool(proxy.through(`${dsn}?sslmode=disable`), { minSize: 1, maxSize: 1 })
  onTestFinished(() => pool.terminate())
  proxy.toServer.rewrite((chunk) => {
    writes.push(typesOf(chunk))
    return chunk
  })
  await until('what the reset and the statement need is prepared', async () => {
    if (writes.at(-1) === `${reset}S`) return true
    await pool.use((connection) => connection.fetch('select 1'))
    return false
  })
  writes.length = 0
  return { pool, writes }
}

function typesOf(chunk: Buffer): string {
  let types = ''
  for (let at = 0; at < chunk.length; at += 1 + chunk.readInt32BE(at + 1))
    types += String.fromCharCode(chunk[at]!)
  return types
}

test('R7: the reset and the statement of who waits go in one write, under one Sync', async () => {
  const { pool, writes } = await watched()
  const held = await pool.acquire()
  const next = pool.use((connection) => connection.fetch('select 1'))
  await held.fetch('select 1')
  await held.release()
  await next
  await until('the last reset is sent', () => writes.length === 3)
  expect(writes).toEqual(['BES', `${reset}BES`, `${reset}S`])
})

test('R7: the reset and a statement that comes with another event of the turn go in one write', async () => {
  const { pool, writes } = await watched()
  const held = await pool.acquire()
  await held.fetch('select 1')
  await held.release()
  await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)))
  await pool.use((connection) => connection.fetch('select 1'))
  expect(writes.slice(0, 2)).toEqual(['BES', `${reset}BES`])
})

test('R7: the reset goes alone by the end of the turn where nobody waits', async () => {
  const { pool, writes } = await watched()
  await pool.use((connection) => connection.fetch('select 1'))
  await until('it is sent', () => writes.length === 2)
  expect(writes).toEqual(['BES', `${reset}S`])
})

test('R7: a statement of the simple protocol has no part in it', async () => {
  const { pool, writes } = await watched()
  const held = await pool.acquire()
  const next = pool.use((connection) => connection.execute('select 1'))
  await held.fetch('select 1')
  await held.release()
  await next
  expect(writes.slice(0, 3)).toEqual(['BES', `${reset}S`, 'Q'])
})

test('R6: nothing is sent where nothing ran', async () => {
  const { pool, writes } = await watched()
  for (let i = 0; i < 3; i++) await pool.use(() => {})
  await pool.use((connection) => connection.fetch('select 1'))
  await until('its reset is sent', () => writes.length === 2)
  for (let i = 0; i < 3; i++) await pool.use(() => {})
  await pool.use((connection) => connection.fetch('select 1'))
  await until('its reset is sent', () => writes.length === 4)
  expect(writes).toEqual(['BES', `${reset}S`, 'BES', `${reset}S`])
})

test('R7: a statement that is not prepared yet is described behind the reset, and written once', async () => {
  const { pool, writes } = await watched()
  const held = await pool.acquire()
  const next = pool.use((connection) => connection.fetch('select 2'))
  await held.fetch('select 1')
  await held.release()
  await next
  expect(writes.slice(0, 3)).toEqual(['BES', `${reset}PDH`, 'BES'])
})
