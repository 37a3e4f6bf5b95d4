import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { adminQuery, backends, certificates, freshDatabase, servers } from './servers.ts'

describe.for(servers())('the PostgreSQL $major of the tests', (server) => {
  it.for(['trust', 'password', 'md5', 'scram'] as const)('logs a role in by %s', async (method) => {
    const rows = await adminQuery(server.roles[method].dsn, 'select current_user as name')
    expect(rows).toEqual([{ name: server.roles[method].user }])
  })

  it.for(['password', 'md5', 'scram'] as const)('refuses a wrong password by %s', async (method) => {
    const { user, dsn, password } = server.roles[method]
    const wrong = dsn.replace(password, 'wrong')
    await expect(adminQuery(wrong, 'select 1')).rejects.toThrow(
      `password authentication failed for user "${user}"`,
    )
  })

  it('logs a role in by its certificate over TLS', async () => {
    const { authority, client } = certificates()
    const connection = new pg.Client({
      host: 'localhost',
      port: server.port,
      user: server.roles.certificate.user,
      database: 'postgres',
      ssl: { ca: authority.cert, cert: client.cert, key: client.key },
    })
    await connection.connect()
    const { rows } = await connection.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    await connection.end()
    expect(rows).toEqual([{ ssl: true }])
  })

  it('takes only TLS for one database and only plain connections for another', async () => {
    const on = (database: string) => server.dsn.replace(/postgres$/, database)
    const { tlsOnly, plainOnly } = server.databases
    await expect(adminQuery(on(tlsOnly), 'select 1')).rejects.toThrow('pg_hba.conf rejects')
    expect(await adminQuery(on(plainOnly), 'select 1 as one')).toEqual([{ one: 1 }])
    const encrypted = new pg.Client({
      connectionString: on(plainOnly),
      ssl: { ca: certificates().authority.cert },
    })
    await expect(encrypted.connect()).rejects.toThrow('pg_hba.conf rejects')
  })

  it('answers on its unix socket', async () => {
    const dsn = `postgres://postgres@/postgres?host=${server.socketDirectory}&port=${server.port}`
    expect(await adminQuery(dsn, 'select inet_server_addr() as address')).toEqual([{ address: null }])
  })

  it('gives each caller a database with no backends but its own', async () => {
    const dsn = await freshDatabase(server)
    expect(await backends(dsn)).toEqual([])
    expect(await freshDatabase(server)).not.toBe(dsn)
  })
})
