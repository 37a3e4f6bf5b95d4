import { expect, it } from 'vitest'
import { readOutput } from '../src/peers/pgbench.ts'

const output = `transaction type: task-by-id.sql
number of transactions actually processed: 52391
number of failed transactions: 0 (0.000%)
latency average = 0.191 ms
initial connection time = 21.4 ms
tps = 52450.135900 (without initial connection time)
`

it("pgbench's transactions and their rate are read from its output", () => {
  expect(readOutput(output)).toEqual({ requests: 52_391, rate: 52_450.1359 })
})

it('failed transactions are an error', () => {
  expect(() => readOutput(output.replace('failed transactions: 0', 'failed transactions: 2'))).toThrow(
    '2 transactions failed',
  )
})

it('an output without the rate is an error', () => {
  expect(() => readOutput(output.replace('tps', 'speed'))).toThrow('pgbench: no')
})
