import { expect, it } from 'vitest'
import { topicOf } from '../src/client-topics.ts'
import { contests } from '../src/contests/contests.ts'
import { node, type Program, program } from '../src/runtimes/program.ts'

const absent = program('apt-get install nowhere', () => undefined)

const run = {
  ...{ dsn: 'postgres://nobody@127.0.0.1:1/none', rounds: 1, seconds: 1 },
  ...{ signal: new AbortController().signal, takes: () => true, tell: () => {} },
}

it('a peer that is not installed, or needs what is not, is named with the command that installs it', async () => {
  const peer = (name: string, runtime: Program, needs?: Program) => ({
    ...{ name, reset: 'none' as const, runtime },
    ...(needs && { needs }),
  })
  const topic = topicOf({
    ...contests[0]!,
    peers: [peer('elsewhere', absent), peer('beside', node, absent)],
  })
  expect(topic.peers).toEqual(['elsewhere', 'beside'])
  const finding = await topic.measure(run)
  expect(finding.absent).toEqual([
    { name: 'elsewhere', install: 'apt-get install nowhere' },
    { name: 'beside', install: 'apt-get install nowhere' },
  ])
  expect(finding.tables.map(({ rows }) => rows)).toEqual([[]])
  expect(finding.targets).toEqual([])
})

it('a program is looked for once', () => {
  let looked = 0
  const one = program('', () => {
    looked++
    return undefined
  })
  expect([one.found(), one.found(), looked]).toEqual([undefined, undefined, 1])
})

it('no two contests have one name, nor two peers of a contest', () => {
  const names = contests.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { peers } of contests) expect(new Set(peers.map(({ name }) => name)).size).toBe(peers.length)
})

it('every target of a contest is about peers and a setting that it has, and a figure that it shows', () => {
  for (const { goals, peers, settings, by, columns } of contests) {
    const names = peers.map(({ name }) => name)
    for (const { own, base = [], at, figure } of goals) {
      expect(names).toEqual(expect.arrayContaining([own, ...[base].flat()]))
      expect(
        at === undefined ? settings.length : settings.filter((setting) => setting[by] === at).length,
      ).toBe(1)
      expect(columns.map((column) => column.figure)).toContain(figure)
    }
  }
})
