import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, connect, InterfaceError, type PreparedStatement } from '../../src/index.ts'
import { freshDatabase, servers } from '../support/servers.ts'

interface Callee {
  connection: Connection
  prepared: PreparedStatement
}

type Call = (callee: Callee, options: never) => Promise<unknown>

const output = () => {}

const calls: [name: string, call: Call][] = [
  ['fetch', ({ connection }, options) => connection.fetch('select 1', [], options)],
  ['fetchRow', ({ connection }, options) => connection.fetchRow('select 1', [], options)],
  ['fetchVal', ({ connection }, options) => connection.fetchVal('select 1', [], options)],
  ['query', ({ connection }, options) => connection.query('select 1', [], options)],
  ['execute', ({ connection }, options) => connection.execute('select 1', [], options)],
  ['executeMany', ({ connection }, options) => connection.executeMany('select 1', [[]], options)],
  ['prepare', ({ connection }, options) => connection.prepare('select 1', options)],
  ['cursor', ({ connection }, options) => inTransaction(connection, 'cursor', options)],
  ['fetch', ({ connection }, options) => inTransaction(connection, 'fetch', options)],
  ['addListener', ({ connection }, options) => connection.addListener('news', () => {}, options)],
  ['removeListener', ({ connection }, options) => connection.removeListener('news', () => {}, options)],
  [
    'copyFromTable',
    ({ connection }, options: object) => connection.copyFromTable('t', { output, ...options }),
  ],
  [
    'copyFromQuery',
    ({ connection }, options: object) =>
      connection.copyFromQuery('select $1::int', [1], { output, ...options }),
  ],
  [
    'copyToTable',
    ({ connection }, options: object) => connection.copyToTable('t', { source: [], ...options }),
  ],
  [
    'copyRecordsToTable',
    ({ connection }, options: object) => connection.copyRecordsToTable('t', { records: [], ...options }),
  ],
  ['fetch', ({ prepared }, options) => prepared.fetch([], options)],
  ['fetchRow', ({ prepared }, options) => prepared.fetchRow([], options)],
  ['fetchVal', ({ prepared }, options) => prepared.fetchVal([], options)],
  ['query', ({ prepared }, options) => prepared.query([], options)],
  ['execute', ({ prepared }, options) => prepared.execute([], options)],
  ['executeMany', ({ prepared }, options) => prepared.executeMany([[]], options)],
  ['explain', ({ prepared }, options) => prepared.explain([], options)],
]

function inTransaction(connection: Connection, part: 'cursor' | 'fetch', options: never): Promise<unknown> {
  return connection.transaction((tx) =>
    part === 'cursor' ? tx.cursor('select 1', [], options).fetch(1) : tx.cursor('select 1').fetch(1, options),
  )
}

describe.for(servers().slice(0, 1))('the options of a call', (server) => {
  let connection: Connection
  let prepared: PreparedStatement

  beforeAll(async () => {
    connection = await connect(await freshDatabase(server))
    await connection.execute('create table t (n int)')
    prepared = await connection.prepare('select 1')
  })

  afterAll(() => connection.close())

  const refused = async (call: Promise<unknown>, message: string) => {
    const error = await call.catch((reason) => reason)
    expect(error).toBeInstanceOf(InterfaceError)
    expect(error).toMatchObject({ outcome: 'not-sent', message: expect.stringContaining(message) })
  }

  it.for(calls)(
    'of %s are refused by their names where they are not what they should be',
    async ([name, call]) => {
      const wrong: [options: object, message: string][] = [
        [{ timout: 5 }, 'unknown option "timout"'],
        [{ timeout: '5 parsecs' }, 'timeout: "5 parsecs" is not a duration'],
        [{ timeout: -1 }, 'timeout: -1 is not a duration'],
        [{ signal: {} }, 'signal: must be an AbortSignal'],
      ]
      for (const [options, message] of wrong) {
        await refused(call({ connection, prepared }, options as never), `${name}(): ${message}`)
      }
      await call({ connection, prepared }, { timeout: '5s', signal: new AbortController().signal } as never)
    },
  )

  it('of a transaction likewise', async () => {
    const begin = (options: object) => connection.transaction(() => {}, options)
    await refused(
      begin({ readonly: true }),
      'transaction(): unknown option "readonly"; did you mean readOnly?',
    )
    await refused(begin({ readOnly: 1 }), 'transaction(): readOnly: must be true or false')
    await refused(begin({ isolation: 'strict' }), 'transaction(): isolation: "strict" is not known')
  })

  it('a { text, values } object stands for SQL everywhere; where its values come apart it has none', async () => {
    const text = 'select $1::int as n'
    await using statement = await connection.prepare({ text })
    expect(await statement.fetchVal([5])).toBe(5)
    await connection.executeMany({ text, values: [] }, [[1], [2]])
    expect(await connection.fetchVal({ text, values: [7] })).toBe(7)
    await refused(
      connection.prepare({ text, values: [1] }),
      'prepare(): the statement comes without values here',
    )
    await refused(
      connection.executeMany({ text, values: [1] }, [[1]]),
      'executeMany(): the statement comes without values here; give them to the lists',
    )
    await refused(
      connection.fetch({ text, values: [1] }, null as never),
      'fetch(): the arguments must be an array',
    )
    await refused(connection.fetch({ text, values: [1] }, [1]), 'do not pass arguments beside it')
  })
})
