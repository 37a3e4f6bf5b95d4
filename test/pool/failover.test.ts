import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connect, createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { primaryAndStandby, type Replication } from '../support/primary-and-standby.ts'
import { adminQuery, servers } from '../support/servers.ts'
import { until } from '../support/until.ts'

describe.for(servers())(
  'R19 on PostgreSQL $major: a pool that needs a server that takes writes',
  (server) => {
    let replication: Replication
    let pool: Pool

    const open = async (options: PoolOptions = {}) => {
      const { primary, standby } = replication
      pool = await createPool('postgres://postgres@/postgres', {
        host: [primary.host, standby.host],
        port: [primary.port, standby.port],
        targetSessionAttrs: 'read-write',
        minSize: 2,
        maxSize: 2,
        ...options,
      })
    }

    const port = () => pool.fetchVal("select current_setting('port')::int")

    const makePrimaryReadOnly = async () => {
      await adminQuery(replication.primary.dsn, 'alter system set default_transaction_read_only = on')
      await adminQuery(replication.primary.dsn, 'select pg_reload_conf()')
    }

    beforeAll(async () => {
      replication = await primaryAndStandby(server)
      await adminQuery(replication.primary.dsn, 'create table t (n int)')
    }, 60_000)

    afterAll(() => replication.stop(), 30_000)

    beforeEach(() => open())

    afterEach(() => pool.terminate())

    it('stays when only a transaction of the user was read-only', async () => {
      await pool.use(async (connection) => {
        await connection.execute('set default_transaction_read_only = on')
        await expect(connection.execute('insert into t values (1)')).rejects.toMatchObject({
          sqlState: '25006',
        })
      })
      await expect(
        pool.transaction((tx) => tx.execute('insert into t values (1)'), { readOnly: true }),
      ).rejects.toMatchObject({ sqlState: '25006' })
      await until('both are back', () => pool.idleSize === 2)
      expect(pool.stats().totals).toMatchObject({ opened: 2, closed: { expired: 0 } })
    })

    it('listens through one that refuses to, tells of it once, and is tried again', async () => {
      const { primary, standby } = replication
      let attempts = 0
      let told = 0
      const warnings: string[] = []
      const listening = await createPool(primary.dsn, {
        minSize: 0,
        connect: (dsn, options) => {
          attempts++
          return connect(dsn, options)
        },
      })
      listening.on('warning', ({ message }) => warnings.push(message))
      await listening.listen('news', () => {}, { onReconnect: () => told++ })
      listening.setConnectArgs(standby.dsn)
      listening.expireConnections()
      await until('the standby has refused it some times', () => attempts === 5)
      expect(warnings).toEqual(['the connection of pool.listen() failed; another one is opened'])
      listening.setConnectArgs(primary.dsn)
      await until('it is listened to again', () => told === 1)
      await listening.close()
    })

    it('leaves one that does not take writes any more, with all of its connections, and finds the new primary', async () => {
      const warnings: string[] = []
      pool.on('warning', ({ message }) => warnings.push(message))
      const heard: string[] = []
      let told = 0
      await pool.listen('news', (payload) => heard.push(payload), { onReconnect: () => told++ })
      expect(await port()).toBe(replication.primary.port)
      await makePrimaryReadOnly()
      await until('a write is refused', async () => {
        const error = await pool.execute('insert into t values (2)').catch((reason: unknown) => reason)
        return (error as { sqlState?: string }).sqlState === '25006'
      })
      await until('both are expired', () => pool.stats().totals.closed.expired === 2)
      expect(warnings).toContainEqual(expect.stringContaining('does not take writes any more'))
      await replication.promote()
      expect(await port()).toBe(replication.standby.port)
      expect(await pool.execute('insert into t values (3)')).toBe('INSERT 0 1')
      await until('the floor is back', () => pool.size === 2)
      await until('the channel is listened to again', () => told === 1)
      await adminQuery(replication.standby.dsn, "notify news, 'from the new primary'")
      await until('it is heard', () => heard.length === 1)
      expect(heard).toEqual(['from the new primary'])
    })
  },
)
