import { describe, expect, it } from 'vitest'
import { withoutReplaced } from '../../src/connection/connecting/replaced-options.ts'

describe('older options, where a DSN takes over,', () => {
  it('lose address and credentials, whether the DSN mentions them or not', () => {
    const older = { host: 'a', port: 1, user: 'u', password: () => 'p', database: 'd', maxSize: 3 }
    expect(withoutReplaced(older, 'postgres://b')).toEqual({ maxSize: 3 })
  })

  it('lose what the DSN says in the words of libpq, and nothing else', () => {
    const older = { ssl: 'verify-full', connectTimeout: '1s', keepAlive: '1s' } as const
    expect(withoutReplaced(older, 'postgres://b')).toEqual(older)
    expect(withoutReplaced(older, 'postgres://b?sslmode=verify-ca&keepalives_idle=9')).toEqual({
      connectTimeout: '1s',
    })
  })

  it('lose the server settings that the DSN sets, one by one', () => {
    const older = { serverSettings: { search_path: 'a', application_name: 'x' } }
    expect(withoutReplaced(older, 'host=b search_path=c')).toEqual({
      serverSettings: { application_name: 'x' },
    })
    expect(older.serverSettings).toEqual({ search_path: 'a', application_name: 'x' })
  })
})
