import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { adminQuery } from '../../../test/support/servers.ts'
import { until } from '../../../test/support/until.ts'
import { type EmbeddedDatabase, startEmbedded } from '../src/embedded/embedded-database.ts'

let parent: string
let folder: string
let running: EmbeddedDatabase | undefined

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'rockpool-embedded-'))
  folder = join(parent, 'a folder')
})

afterEach(async () => {
  await running?.stop()
  running = undefined
  await rm(parent, { recursive: true, force: true })
})

async function start(): Promise<string> {
  running = await startEmbedded(folder)
  return running.dsn
}

async function stop(): Promise<void> {
  await running?.stop()
  running = undefined
}

it('keeps what was written from one run to the next, and lets nobody else in', async () => {
  const first = await start()
  await adminQuery(first, 'create table kept as select 42 as answer')
  await stop()
  await expect(adminQuery(first, 'select 1')).rejects.toThrow('ECONNREFUSED')
  const second = await start()
  expect(await adminQuery(second, 'select answer from kept')).toEqual([{ answer: 42 }])
  const stranger = second.replace(/:[^:@]+@/, ':guessed@')
  await expect(adminQuery(stranger, 'select 1')).rejects.toThrow('password authentication failed')
  const secret = await stat(join(folder, 'data', 'rockpool.password'))
  expect(secret.mode & 0o777).toBe(0o600)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
})

it('is UTF-8 whatever the locale of the machine', async () => {
  const dsn = await start()
  expect(
    await adminQuery(dsn, "select upper('молоко') as word, char_length('🥛')::int as characters"),
  ).toEqual([{ word: 'МОЛОКО', characters: 1 }])
})

it('refuses a second service on the folder and leaves the first alone', async () => {
  const dsn = await start()
  await expect(startEmbedded(folder)).rejects.toThrow(
    `${folder} is in use by another running service: stop that one, or set ROCKPOOL_DATA_DIR or DATABASE_URL`,
  )
  expect(await adminQuery(dsn, 'select 1 as one')).toEqual([{ one: 1 }])
})

it('does not take a half-made database for one', { timeout: 60_000 }, async () => {
  await start()
  await stop()
  await rm(join(folder, 'data', 'global'), { recursive: true })
  await rename(join(folder, 'data'), join(folder, 'data.draft'))
  expect(await adminQuery(await start(), 'select 1 as one')).toEqual([{ one: 1 }])
})

it('starts again when the process id of its last server is now that of something else', async () => {
  const dsn = await start()
  await adminQuery(dsn, 'create table kept as select 42 as answer')
  await stop()
  await writeFile(join(folder, 'data', 'postmaster.pid'), `${process.pid}\n${join(folder, 'data')}\n`)
  expect(await adminQuery(await start(), 'select answer from kept')).toEqual([{ answer: 42 }])
})

it('starts again after its server was killed', async () => {
  const dsn = await start()
  await adminQuery(dsn, 'create table kept as select 42 as answer')
  const pid = Number.parseInt(await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8'), 10)
  process.kill(pid, 'SIGKILL')
  await until('the server is gone', () =>
    adminQuery(dsn, 'select 1').then(
      () => false,
      () => true,
    ),
  )
  await running?.stop()
  expect(await adminQuery(await start(), 'select answer from kept')).toEqual([{ answer: 42 }])
})

it('is gone before a process that abandons it, and keeps what was written', async () => {
  const abandoned = new AbortController()
  running = await startEmbedded(folder, abandoned.signal)
  const { dsn } = running
  await adminQuery(dsn, 'create table kept as select 42 as answer')
  abandoned.abort()
  await expect(adminQuery(dsn, 'select 1')).rejects.toThrow('ECONNREFUSED')
  await stop()
  expect(await adminQuery(await start(), 'select answer from kept')).toEqual([{ answer: 42 }])
})

it('tells what the server says when it does not start', async () => {
  await start()
  await stop()
  await writeFile(join(folder, 'data', 'PG_VERSION'), '17\n')
  await expect(startEmbedded(folder)).rejects.toThrow('database files are incompatible with server')
})
