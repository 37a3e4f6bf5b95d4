import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDsn } from '../../src/connection/connecting/dsn.ts'
import { InterfaceError } from '../../src/errors.ts'

const read = (dsn: string) => Object.fromEntries(parseDsn(dsn))

describe('a URI', () => {
  test.each<[dsn: string, keywords: Record<string, string>]>([
    ['postgres://', {}],
    ['postgresql://localhost', { host: 'localhost' }],
    ['postgres://localhost/tasks', { host: 'localhost', dbname: 'tasks' }],
    ['postgres://app@localhost', { user: 'app', host: 'localhost' }],
    [
      'postgres://app:secret@db.example:5433/tasks',
      { user: 'app', password: 'secret', host: 'db.example', port: '5433', dbname: 'tasks' },
    ],
    [
      'postgres://a%40b:p%3A%2F%3F%40%25@db/t%20s',
      { user: 'a@b', password: 'p:/?@%', host: 'db', dbname: 't s' },
    ],
    ['postgres://app:p@ss:w@db', { user: 'app', password: 'p@ss:w', host: 'db' }],
    ['postgres://app:@db', { user: 'app', password: '', host: 'db' }],
    ['postgres://:secret@db', { password: 'secret', host: 'db' }],
    ['postgres://a:5432,b:5433/tasks', { host: 'a,b', port: '5432,5433', dbname: 'tasks' }],
    ['postgres://a,b:5433', { host: 'a,b', port: ',5433' }],
    ['postgres://a,b?port=5433', { host: 'a,b', port: '5433' }],
    ['postgres://[::1]:5432/tasks', { host: '::1', port: '5432', dbname: 'tasks' }],
    ['postgres://[fe80::1%25eth0],b', { host: 'fe80::1%eth0,b' }],
    ['postgres:///tasks?host=/var/run/postgresql', { dbname: 'tasks', host: '/var/run/postgresql' }],
    ['postgres://%2Fvar%2Frun%2Fpostgresql/tasks', { host: '/var/run/postgresql', dbname: 'tasks' }],
    ['postgres://:5433/tasks?host=%2Ftmp', { port: '5433', dbname: 'tasks', host: '/tmp' }],
    ['postgres://db?user=me@azure&password=a%26b', { host: 'db', user: 'me@azure', password: 'a&b' }],
    ['postgres://db/tasks?user=late&dbname=other', { host: 'db', user: 'late', dbname: 'other' }],
    [
      'postgres://db?sslmode=require&application_name=my+app',
      { host: 'db', sslmode: 'require', application_name: 'my+app' },
    ],
    ['postgres://db?ssl=true', { host: 'db', sslmode: 'require' }],
    ['postgres://db?options=-c%20geqo%3Doff', { host: 'db', options: '-c geqo=off' }],
    ['postgres://db?my.setting=1&', { host: 'db', 'my.setting': '1' }],
  ])('%s', (dsn, keywords) => {
    expect(read(dsn)).toEqual(keywords)
  })

  test('gives back any user, password and database that was percent-encoded', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 })
    fc.assert(
      fc.property(text, text, text, (user, password, dbname) => {
        const [u, p, d] = [user, password, dbname].map(encodeURIComponent)
        expect(read(`postgres://${u}:${p}@db/${d}`)).toEqual({ user, password, host: 'db', dbname })
      }),
    )
  })
})

describe('keyword/value pairs', () => {
  test.each<[dsn: string, keywords: Record<string, string>]>([
    ['', {}],
    ['   ', {}],
    ['host=db', { host: 'db' }],
    ['  host = db   port=5433 ', { host: 'db', port: '5433' }],
    ["user='my user' password='it\\'s \\\\'", { user: 'my user', password: "it's \\" }],
    ["host=db password='' dbname=t", { host: 'db', password: '', dbname: 't' }],
    ['password= secret dbname=', { password: 'secret', dbname: '' }],
    ['password=a\\ b\\\\c=d dbname=t', { password: 'a b\\c=d', dbname: 't' }],
    ['host=a,b port=1,2', { host: 'a,b', port: '1,2' }],
  ])('%j', (dsn, keywords) => {
    expect(read(dsn)).toEqual(keywords)
  })

  test('give back any value in quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (password) => {
        const quoted = password.replace(/[\\']/g, '\\$&')
        expect(read(`host=db password='${quoted}' port=1`)).toEqual({ host: 'db', password, port: '1' })
      }),
    )
  })
})

describe('a DSN that cannot be read is refused without a part of it in the error', () => {
  test.each<[dsn: string, says: RegExp]>([
    ['postgres://app:canary/x@db:5432/tasks', /'@' behind the host; percent-encode/],
    ['postgres://app:canary?x@db/tasks', /'@' behind the host; percent-encode/],
    ['postgres://app:canary', /host 1 is not of the form/],
    ['postgres://app:5432,canary:x1', /host 2 is not of the form/],
    ['postgres://app:canary%zz@db', /the password has a '%'/],
    ['postgres://canary%@db', /the user name has a '%'/],
    ['postgres://db/canary%ff', /the database name has a '%'/],
    ['postgres://[canary]:5432', /host 1 is not of the form/],
    ['postgres://[::1:5432/canary', /host 1 is not of the form/],
    ['postgres://db?canary', /a parameter behind the '\?' has no '='/],
    ['postgres://db?can%20ary=1', /the name of a parameter is not a name/],
    ['mysql://app:canary@db', /a URI starts with postgres:\/\//],
    ['postgresql+asyncpg://app:canary@db', /a URI starts with postgres:\/\//],
    ['canary', /neither postgres:.* nor keyword=value pairs \(see pair 1\)/],
    ['user=app canary', /see pair 2/],
    ["user=app password='canary", /see pair 2/],
    ["password=can'ary' user=x y", /see pair 3/],
    ['can-ary=1', /the name of a parameter is not a name/],
  ])('%s', (dsn, says) => {
    const failure = (() => {
      try {
        return parseDsn(dsn)
      } catch (error) {
        return error
      }
    })()
    expect(failure).toBeInstanceOf(InterfaceError)
    expect((failure as Error).message).toMatch(says)
    expect((failure as Error).message).toMatch(/^dsn: /)
    expect(
      inspect(failure).replace((failure as Error).stack!.split('\n').slice(1).join('\n'), ''),
    ).not.toMatch(/can.{0,3}ary/)
  })
})
