import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { serverAccount } from '../../apps/tasks/src/embedded/account.ts'
import { Cluster } from '../../apps/tasks/src/embedded/cluster.ts'
import { connect } from '../../src/index.ts'
import { ownServer, servers, type TestServer } from '../support/servers.ts'

const run = promisify(execFile)
const firstOid = 2 ** 31

/** Not every set of programs has pg_resetwal. */
const able = servers().filter(({ bin }) => existsSync(join(bin, 'pg_resetwal')))

/** From now on the server's new OIDs begin where an Int32 ends. */
async function raiseOids({ bin, data }: TestServer): Promise<void> {
  const account = await serverAccount()
  const cluster = new Cluster({ bin, data, account })
  await cluster.stop()
  await run(join(bin, 'pg_resetwal'), ['-o', String(firstOid), '-D', data], { ...account, cwd: '/' })
  await cluster.start()
}

describe.for(servers())('OIDs beyond 2^31 on PostgreSQL $major', (server) => {
  it('are values like any other', async () => {
    const connection = await connect(server.dsn)
    const oids = [0, firstOid - 1, firstOid, 2 ** 32 - 1]
    expect(await connection.fetchVal('select $1::oid[]', [oids])).toEqual(oids)
    for (const oid of oids) expect(await connection.fetchVal('select $1::oid', [oid])).toBe(oid)
    await connection.close()
  })
})

describe.for(able)('types with OIDs beyond 2^31 on PostgreSQL $major', (like) => {
  it('of domains, enums and composites are asked for and read as any other', async () => {
    const { server, stop } = await ownServer(like)
    try {
      await raiseOids(server)
      const connection = await connect(server.dsn)
      await connection.execute(
        "create domain d as int; create type e as enum ('a', 'b'); create type c as (d d, e e, l e[])",
      )
      expect(await connection.fetchVal("select 'e'::regtype::oid")).toBeGreaterThan(firstOid)
      expect(await connection.fetchVal('select $1::d', [10])).toBe(10)
      expect(await connection.fetchVal('select $1::e[]', [['b', null]])).toEqual(['b', null])
      const value = { d: 1, e: 'a', l: ['b'] }
      expect(await connection.fetchVal('select $1::c', [value])).toEqual(value)
      const { fields } = await connection.query('select null::c as c')
      expect(fields[0]!.typeOid).toBeGreaterThan(firstOid)
      await connection.close()
    } finally {
      await stop()
    }
  }, 60_000)
})
