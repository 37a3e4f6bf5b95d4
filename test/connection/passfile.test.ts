import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultPassfile, Passfile } from '../../src/connection/connecting/passfile.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

async function passfile(text: string, mode = 0o600): Promise<Passfile> {
  const path = join(await temporaryFolder(), 'passes')
  await writeFile(path, text)
  await chmod(path, mode)
  return new Passfile(path)
}

const db = { host: 'db', port: 5432 }

test.each([
  ['db:5432:tasks:app:first', 'first'],
  ['other:5432:tasks:app:no\ndb:5432:tasks:app:second', 'second'],
  ['db:5433:tasks:app:no', undefined],
  ['db:5432:other:app:no', undefined],
  ['db:5432:tasks:other:no', undefined],
  ['*:*:*:*:any', 'any'],
  ['*:*:*:*:first\n*:*:*:*:second', 'first'],
  ['# db:5432:tasks:app:comment\n\ndb:5432:tasks:app:after', 'after'],
  ['db:5432:tasks:app:a\\:b\\\\c:d', 'a:b\\c:d'],
  ['db:5432:tasks:app:windows\r\n', 'windows'],
  ['db:5432:tasks:app', undefined],
  ['', undefined],
])('%j gives %j', async (text, password) => {
  expect(await (await passfile(text)).find(db, 'tasks', 'app')).toBe(password)
})

test('a colon or a backslash in a name is escaped', async () => {
  const file = await passfile('\\:\\:1:5432:a\\\\b:my\\:user:secret')
  expect(await file.find({ host: '::1', port: 5432 }, 'a\\b', 'my:user')).toBe('secret')
})

test.each(['localhost', '/tmp'])('a Unix-domain socket in /tmp goes by the name of %s', async (name) => {
  const file = await passfile(`${name}:5432:*:*:secret`)
  expect(await file.find({ host: '/tmp', port: 5432 }, 'tasks', 'app')).toBe('secret')
})

test('a change of the file counts at the next connect', async () => {
  const file = await passfile('*:*:*:*:old')
  expect(await file.find(db, 'tasks', 'app')).toBe('old')
  await writeFile(file.path, '*:*:*:*:new')
  expect(await file.find(db, 'tasks', 'app')).toBe('new')
})

test('a file that is not there, or a folder in its place, holds no password', async () => {
  const folder = await temporaryFolder()
  expect(await new Passfile(join(folder, 'nothing')).find(db, 'tasks', 'app')).toBeUndefined()
  expect(await new Passfile(folder).find(db, 'tasks', 'app')).toBeUndefined()
})

test.each([0o640, 0o604])('a file that others may read (%i) is ignored, with one warning', async (mode) => {
  const file = await passfile('*:*:*:*:canary', mode)
  const warned = once(process, 'warning')
  expect(await file.find(db, 'tasks', 'app')).toBeUndefined()
  const [warning] = await warned
  expect(warning).toMatchObject({ code: 'ROCKPOOL_PASSFILE', message: expect.stringContaining('chmod 600') })
  expect(String(warning)).not.toContain('canary')
  let again = 0
  const count = () => again++
  process.on('warning', count)
  await file.find(db, 'tasks', 'app')
  await new Promise(setImmediate)
  process.off('warning', count)
  expect(again).toBe(0)
})

test('the default is where libpq looks', () => {
  expect(defaultPassfile({})).toMatch(process.platform === 'win32' ? /pgpass\.conf$/ : /\/\.pgpass$/)
})
