import pg from 'pg'
import { serverStatementTimeout } from '../schema.ts'
import { soakRole } from '../server.ts'
import { type Fault, lasting, type Scene } from './fault.ts'

/** SQL that makes the fault, and SQL that ends it. */
function changed(name: string, begin: string[], end: string[]): Fault {
  return {
    name,
    run: async (scene) => {
      try {
        for (const sql of begin) await scene.server.query(sql)
        await lasting(scene, 1, 4)
      } finally {
        for (const sql of end) await scene.server.query(sql)
      }
    },
  }
}

function serverSetting(name: string, setting: string, value: string): Fault {
  const reload = 'select pg_reload_conf()'
  return changed(
    name,
    [`alter system set ${setting} = '${value}'`, reload],
    [`alter system reset ${setting}`, reload],
  )
}

const role = soakRole.name

/** Others hold all the places that the server has, but for those kept for superusers. */
async function fillServer({ server }: Scene): Promise<() => Promise<void>> {
  const strangers: pg.Client[] = []
  const release = async () => {
    await Promise.allSettled(strangers.map((stranger) => stranger.end()))
  }
  for (;;) {
    const stranger = new pg.Client({
      host: '127.0.0.1',
      port: server.place.port,
      user: 'stranger',
      database: 'postgres',
      connectionTimeoutMillis: 2_000,
    })
    stranger.on('error', () => {})
    try {
      await stranger.connect()
      strangers.push(stranger)
    } catch (error) {
      if ((error as { code?: string }).code === '53300') return release
      await release()
      throw error
    }
  }
}

async function withFullServer(scene: Scene, meanwhile: () => void): Promise<void> {
  const release = await fillServer(scene)
  try {
    meanwhile()
    await lasting(scene, 1, 4)
  } finally {
    await release()
  }
}

/** What lasts as long as one statement of the superuser's. */
function statement(name: string, sql: (scene: Scene) => string): Fault {
  return { name, run: async (scene) => void (await scene.server.query(sql(scene))) }
}

/** What administrators and neighbours do. */
export const settingFaults: readonly Fault[] = [
  changed(
    'password changed for a while',
    [
      `alter role ${role} password 'another'`,
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`,
    ],
    [`alter role ${role} password '${soakRole.password}'`],
  ),
  changed('login forbidden for a while', [`alter role ${role} nologin`], [`alter role ${role} login`]),
  changed(
    'connection limit of the role',
    [`alter role ${role} connection limit 3`],
    [`alter role ${role} connection limit -1`],
  ),
  serverSetting('server read-only', 'default_transaction_read_only', 'on'),
  serverSetting('statement_timeout of the server', 'statement_timeout', serverStatementTimeout),
  { name: 'server full', run: (scene) => withFullServer(scene, () => {}) },
  {
    name: 'server full, connections expired',
    run: (scene) => withFullServer(scene, () => scene.ask({ act: 'expire' })),
  },
  statement('accounts locked for seconds', ({ random }) => {
    return `begin; lock table accounts; select pg_sleep(${1 + random.below(30) / 10}); commit`
  }),
  statement(
    'column added, statements outdated',
    () => 'alter table shapes add column if not exists more int default 7',
  ),
  statement('column dropped, statements outdated', () => 'alter table shapes drop column if exists more'),
  statement('column changed, statements outdated', ({ random }) => {
    return `alter table shapes alter column extra type ${random.pick(['int', 'bigint', 'text', 'numeric'])} using id`
  }),
]
