import { expect, it } from 'vitest'
import { adminQuery, backends, freshDatabase } from '../../test/support/servers.ts'
import { until } from '../../test/support/until.ts'
import type { Contest } from '../src/contests/contest.ts'
import { contests } from '../src/contests/contests.ts'
import { tableOf } from '../src/contests/standing.ts'
import type { Peer } from '../src/peers/peer.ts'
import { race } from '../src/race.ts'
import { node } from '../src/runtimes/program.ts'

const brief = { seconds: 0.02, rounds: 1, signal: new AbortController().signal, tell: () => {} }

/** In this process. */
const start = (_: string, peer: Peer) => ({ lap: peer.lap!, close: async () => {} })

const named = (name: string): Contest => contests.find((contest) => contest.name === name)!

/** The slowest peers, and those that are not libraries of Node's, are left to a run of the benchmark. */
const quick = ({ runtime, needs, name }: Peer) =>
  runtime === node &&
  needs === undefined &&
  name !== 'slonik' &&
  name !== 'pg: a named statement for each row'

it.for([
  ['one-shots', { callers: 2, connections: 2 }],
  ['leases', { callers: 3, connections: 2 }],
  ['rows', { callers: 2, connections: 2 }],
  ['executeMany', { callers: 1, connections: 1 }],
  ['spike', { callers: 10, connections: 6 }],
] as const)(
  'the contest "%s" has figures of each peer in each round, and leaves nothing behind',
  async ([name, setting]) => {
    const dsn = await freshDatabase()
    const contest: Contest = { ...named(name), settings: [setting] }
    const peers = contest.peers.filter(quick)
    const laps = await race({ dsn, ...brief, start }, contest, peers)

    expect(laps.map((lap) => lap.setting)).toEqual([setting])
    const rounds = laps[0]!.rounds
    expect(rounds.map(({ length }) => length)).toEqual(peers.map(() => brief.rounds))
    // The limit has no figures where it has more sockets than callers.
    const measured = peers.flatMap(({ name }, index) => (/: \d+ sockets/.test(name) ? [] : rounds[index]!))
    expect(measured.every(({ requests = 0 }) => requests > 0)).toBe(true)

    const { columns, rows } = tableOf({ contest, peers, laps })
    expect(rows.map((row) => [row[1], row.length])).toEqual(peers.map((peer) => [peer.name, columns.length]))

    expect(
      await adminQuery(dsn, "select nspname from pg_namespace where nspname like 'rockpool_bench%'"),
    ).toEqual([])
    await until('no backend is left', async () => (await backends(dsn)).length === 0)
  },
)

it('a race ends with the first peer that fails, and closes the others', async () => {
  const dsn = await freshDatabase()
  const closed: string[] = []
  const contest = named('leases')
  const failing = race(
    {
      dsn,
      ...brief,
      start: (_, { name }) => ({
        lap: async () => {
          throw new Error(`${name} gave a wrong answer`)
        },
        close: async () => {
          closed.push(name)
        },
      }),
    },
    contest,
    contest.peers.slice(0, 2),
  )
  await expect(failing).rejects.toThrow(`${contest.peers[0]!.name} gave a wrong answer`)
  expect(closed).toEqual(contest.peers.slice(0, 2).map(({ name }) => name))
})

it('what was written is counted after each measurement', async () => {
  const dsn = await freshDatabase()
  const contest = named('executeMany')
  const idle: Peer = { ...contest.peers[0]!, lap: async () => ({ requests: 1, rate: 1, p50: 1, cpu: 1 }) }
  await expect(race({ dsn, ...brief, start }, contest, [idle])).rejects.toThrow(
    '1 times 10000 rows were written, 0 right ones were found',
  )
})
