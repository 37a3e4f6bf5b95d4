import { createHash, createPrivateKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { connect, createPool, type PoolOptions } from '../../src/index.ts'
import { adminQuery, backends, certificates, freshDatabase, servers, sleepers } from '../support/servers.ts'
import { until } from '../support/until.ts'

/** What encryption could break: it cuts the stream in other places, and has buffers and an end of its own. */
describe.for(servers())('over TLS, PostgreSQL $major', (server) => {
  const ssl = () => ({ ca: certificates().authority.cert })

  const pooled = async (options: PoolOptions = {}) => {
    const dsn = await freshDatabase(server)
    return { dsn, pool: await createPool(dsn, { minSize: 1, maxSize: 2, ssl: ssl(), ...options }) }
  }

  test('each connection of a pool is encrypted, also those that come later', async () => {
    const { dsn, pool } = await pooled()
    const both = [await pool.acquire(), await pool.acquire()]
    const rows = await adminQuery<{ ssl: boolean }>(
      dsn,
      `select ssl from pg_stat_ssl join pg_stat_activity using (pid)
       where datname = current_database() and pid <> pg_backend_pid()`,
    )
    expect(rows).toEqual([{ ssl: true }, { ssl: true }])
    for (const connection of both) await connection.release()
    await pool.close()
  })

  test('statements, their cache and many arguments work', async () => {
    const { pool } = await pooled()
    await pool.execute('create table tasks (id int primary key, title text)')
    await pool.executeMany(
      'insert into tasks values ($1, $2)',
      Array.from({ length: 2_000 }, (_, i) => [i, `task ${i}`]),
    )
    for (const id of [1, 2, 1_999]) {
      expect(await pool.fetchRow('select * from tasks where id = $1', [id])).toEqual({
        id,
        title: `task ${id}`,
      })
    }
    await expect(pool.execute('insert into tasks values (1, null)')).rejects.toMatchObject({
      condition: 'unique_violation',
      outcome: 'failed',
    })
    await pool.close()
  })

  test('rows and arguments that are larger than many TLS records arrive whole', async () => {
    const { pool } = await pooled()
    const megabytes = Buffer.alloc(5_000_000, 'ä')
    expect(await pool.fetchVal('select md5($1::bytea) = $2', [megabytes, md5(megabytes)])).toBe(true)
    const rows = await pool.fetch<{ i: number; t: string }>(
      "select i, repeat('x', i % 5000) as t from generate_series(1, 20000) i",
    )
    expect(rows).toHaveLength(20_000)
    expect(rows.every(({ i, t }) => t.length === i % 5_000)).toBe(true)
    expect(((await pool.fetchVal("select repeat('y', 4000000)")) as string).length).toBe(4_000_000)
    await pool.close()
  })

  test('a transaction commits, and one whose work rejects is rolled back', async () => {
    const { pool } = await pooled()
    await pool.execute('create table t (i int)')
    await pool.transaction((tx) => tx.execute('insert into t values (1)'))
    await expect(
      pool.transaction(async (tx) => {
        await tx.execute('insert into t values (2)')
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await pool.fetch('select i from t')).toEqual([{ i: 1 }])
    await pool.close()
  })

  test('R8: a time-out and an abort cancel on the server, and the connection is usable again', async () => {
    const { dsn, pool } = await pooled({ maxSize: 1 })
    await pool.use(async (connection) => {
      const pid = connection.processId
      await expect(connection.execute('select pg_sleep(60)', [], { timeout: 50 })).rejects.toMatchObject({
        code: 'ROCKPOOL_QUERY_TIMEOUT',
      })
      const controller = new AbortController()
      const aborted = connection.execute('select pg_sleep(60)', [], { signal: controller.signal })
      aborted.catch(() => {})
      await until('the statement runs', async () => (await sleepers(dsn)).length > 0)
      controller.abort(new Error('no longer wanted'))
      await expect(aborted).rejects.toThrow('no longer wanted')
      expect(await connection.fetchVal('select pg_backend_pid()')).toBe(pid)
    })
    await pool.close()
  })

  test('R7: a released connection is as new', async () => {
    const { pool } = await pooled({ maxSize: 1 })
    await pool.use((connection) => connection.execute("set search_path to 'elsewhere'"))
    expect(await pool.fetchVal('show search_path')).toBe('"$user", public')
    await pool.close()
  })

  test('R14: a backend that is ended is replaced, in use it is an error of that call', async () => {
    const { dsn, pool } = await pooled({ maxSize: 1 })
    const running = pool.execute('select pg_sleep(60)')
    running.catch(() => {})
    const [busy] = await until('the statement runs', async () => {
      const active = (await backends(dsn)).filter(({ state }) => state === 'active')
      return active.length > 0 && active
    })
    await adminQuery(dsn, 'select pg_terminate_backend($1)', [busy!.pid])
    await expect(running).rejects.toMatchObject({ outcome: expect.stringMatching(/failed|unknown/) })
    expect(await pool.fetchVal('select 1')).toBe(1)
    await pool.close()
  })

  test('R13: close leaves no backend, and terminate ends one that is busy', async () => {
    const { dsn, pool } = await pooled()
    const running = pool.execute('select pg_sleep(60)')
    running.catch(() => {})
    await until('the statement runs', async () => (await sleepers(dsn)).length > 0)
    await pool.terminate()
    await expect(running).rejects.toMatchObject({ code: 'ROCKPOOL_CONNECTION_LOST' })
    await until('no backend is left', async () => (await backends(dsn)).length === 0)
  })

  test('a client certificate logs in, with its key protected by a password or not', async () => {
    const { client } = certificates()
    const passphrase = 'secret of the key'
    const locked = createPrivateKey(client.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase,
    }) as string
    const dsn = `postgres://${server.roles.certificate.user}@127.0.0.1:${server.port}/postgres`
    for (const options of [{ key: client.key }, { key: locked, passphrase }]) {
      const connection = await connect(dsn, { ssl: { ...ssl(), cert: client.cert, ...options } })
      expect(await connection.fetchVal('select session_user')).toBe(server.roles.certificate.user)
      await connection.close()
    }
    await expect(connect(dsn, { ssl: ssl() })).rejects.toMatchObject({ permanent: true })
    await expect(connect(dsn, { ssl: { ...ssl(), cert: client.cert, key: locked } })).rejects.toThrow(
      /^ssl: node:tls cannot use the certificates or the key/,
    )
  })
})

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}
