import { expect, it } from 'vitest'
import { choose } from '../src/choice.ts'
import type { Topic } from '../src/topic.ts'

const topic = (name: string, peers: string[]): Topic => ({
  name,
  peers,
  measure: () => Promise.reject(new Error('not measured')),
})

const topics = [topic('reads', ['rockpool', 'pg.Pool']), topic('rows', ['rockpool', 'asyncpg'])]

const chosen = (part: string) =>
  choose(topics, part).map(({ topic, takes }) => [topic.name, ...topic.peers.filter(takes)])

it('--only takes the topics of that name whole', () => {
  expect(chosen('READ')).toEqual([['reads', 'rockpool', 'pg.Pool']])
  expect(chosen('')).toEqual([
    ['reads', 'rockpool', 'pg.Pool'],
    ['rows', 'rockpool', 'asyncpg'],
  ])
})

it('--only takes the contestants of that name, wherever they are', () => {
  expect(chosen('rock')).toEqual([
    ['reads', 'rockpool'],
    ['rows', 'rockpool'],
  ])
  expect(chosen('asyncpg')).toEqual([['rows', 'asyncpg']])
})

it('--only without a match tells what there is', () => {
  expect(() => choose(topics, 'mysql')).toThrow('"mysql"')
  expect(() => choose(topics, 'mysql')).toThrow('rows (rockpool; asyncpg)')
})
