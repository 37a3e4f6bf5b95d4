import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connect, type PostgresReport } from '../../src/index.ts'
import { adminQuery, freshDatabase, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())('on PostgreSQL $major', (server) => {
  let dsn: string
  let connection: Connection

  beforeEach(async () => {
    dsn = await freshDatabase(server)
    connection = await connect(dsn)
  })

  afterEach(() => connection.terminate())

  it("a log listener gets the server's notices and warnings, until it is removed", async () => {
    const reports: PostgresReport[] = []
    const keep = (report: PostgresReport) => {
      reports.push(report)
    }
    const raise = "do $$ begin raise notice 'careful' using hint = 'slow down'; end $$"
    connection.addLogListener(keep)
    await connection.execute(`${raise}; rollback`)
    expect(reports).toMatchObject([
      { severity: 'NOTICE', message: 'careful', hint: 'slow down', sqlState: '00000' },
      { severity: 'WARNING', sqlState: '25P01' },
    ])
    connection.removeLogListener(keep)
    await connection.execute(raise)
    expect(reports.length).toBe(2)
  })

  it('a termination listener hears the end, whoever brought it about, once', async () => {
    const ends: string[] = []
    connection.addTerminationListener(() => ends.push('closed'))
    const removed = () => ends.push('removed')
    connection.addTerminationListener(removed)
    connection.removeTerminationListener(removed)
    await connection.close()
    expect(ends).toEqual(['closed'])
    const killed = await connect(dsn)
    killed.addTerminationListener(() => ends.push('killed'))
    await adminQuery(dsn, 'select pg_terminate_backend($1)', [killed.processId])
    await until('it is told', () => ends.length === 2)
    const terminated = await connect(dsn)
    terminated.addTerminationListener(() => ends.push('terminated'))
    await terminated.terminate()
    expect(ends).toEqual(['closed', 'killed', 'terminated'])
  })
})
