import { expect, it } from 'vitest'
import { copyingOut } from '../src/workloads/copying.ts'
import { checkNumber } from '../src/workloads/spike.ts'
import { idOf, taskById } from '../src/workloads/task-by-id.ts'
import { thousandRows } from '../src/workloads/thousand-rows.ts'
import { statement } from '../src/workloads/workload.ts'

const close = async () => {}

it.for([
  ['no row', null],
  ['nothing', undefined],
  ["another task's id", { id: 2, title: 'task 1' }],
  ["another task's title", { id: 1, title: 'task 2' }],
])('%s instead of the asked task is an error', ([, row]) => {
  const { check } = taskById.requests({ fetchRow: async () => row, close }, 'schema')
  expect(() => check(0, row)).toThrow('asked for task 1, the answer was')
})

it('the asked task is right, whether its id is a number or text', () => {
  const { check } = taskById.requests({ fetchRow: async () => null, close }, 'schema')
  check(0, { id: 1, title: 'task 1' })
  check(1, { id: '620', title: 'task 620' })
})

it('every task is asked for before one comes again', () => {
  expect(new Set(Array.from({ length: 1_000 }, (_, number) => idOf(number))).size).toBe(1_000)
})

const rows = Array.from({ length: 1_000 }, (_, index) => ({
  id: index + 1,
  title: `task ${index + 1}`,
  done: index % 2 === 1,
  created_at: new Date(0),
}))

it.for([
  ['a row too few', rows.slice(1)],
  ['a wrong title', rows.with(0, { ...rows[0]!, title: 'task 2' })],
  ['a wrong boolean', rows.with(0, { ...rows[0]!, done: true })],
  ['a time that is text', rows.map((row) => ({ ...row, created_at: '1970-01-01' }))],
])('%s among the 1,000 rows is an error', ([, answer]) => {
  const { check } = thousandRows.requests({ fetch: async () => answer, close }, 'schema')
  expect(() => check(0, answer)).toThrow(/^\d+ rows, row 1 of which is/)
  check(0, rows)
})

it("another request's answer in a spike is an error", () => {
  checkNumber(3, { number: 3 })
  expect(() => checkNumber(3, { number: 4 })).toThrow('asked for 3')
  expect(() => checkNumber(3, undefined)).toThrow('asked for 3')
})

it('the lines that COPY gives are counted, wherever the chunks are cut', async () => {
  const copyOut = async (_: string, take: (chunk: Uint8Array) => void) => {
    for (const chunk of ['1\ta\n2', '\tb', '\n', '\n\n']) take(Buffer.from(chunk))
  }
  const { ask, check } = copyingOut.requests({ copyOut, copyIn: close, close }, 'schema')
  const answer = await ask(0)
  expect(answer).toBe(4)
  expect(() => check(0, answer)).toThrow('4 rows were read')
  check(0, 1_000_000)
})

it('a statement has its parts as a template literal has them', () => {
  const seen = ((strings: TemplateStringsArray, ..._: number[]) => strings)`select ${1} + ${2}`
  const { strings } = statement('sum', 'select $1 + $2')
  expect(strings).toEqual(seen)
  expect(strings.raw).toEqual(seen.raw)
  expect(Object.keys(strings)).toEqual(Object.keys(seen))
  expect(Object.isFrozen(strings)).toBe(true)
})
