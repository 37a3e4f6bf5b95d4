import { describe, expect, it } from 'vitest'
import { readFigures } from '../src/http/wrk.ts'

const output = (figures: object, rest = '') =>
  `Running 1s test @ http://127.0.0.1:1\nfigures ${JSON.stringify({
    right: 500,
    wrong: 0,
    failed: 0,
    microseconds: 250_000,
    p50: 1_500,
    p99: 9_000,
    ...figures,
  })}\n${rest}`

describe("wrk's figures", () => {
  it('are the right answers, by the time that it took', () => {
    expect(readFigures(output({}))).toEqual({ requests: 500, rate: 2_000, p50: 1.5, p99: 9 })
  })

  it.for([
    ['a wrong answer', { wrong: 1 }],
    ['an answer that did not come', { failed: 1 }],
    ['no answer at all', { right: 0 }],
  ] as const)('with %s are an error that shows one', ([, figures]) => {
    expect(() => readFigures(output(figures, 'example 503 no connection\n'))).toThrow('503 no connection')
  })

  it('that are missing are an error with what wrk wrote', () => {
    expect(() => readFigures('unable to connect')).toThrow('unable to connect')
  })
})
