import { expect, it } from 'vitest'
import { Gate } from '../src/gate.ts'

it('a gate lets no more through at once than it is wide, the others in their order', async () => {
  const gate = new Gate(2)
  const entered: number[] = []
  const leave: (() => void)[] = []
  const passing = [0, 1, 2, 3].map((number) =>
    gate.through(() => {
      entered.push(number)
      return new Promise<void>((resolve) => leave.push(resolve))
    }),
  )
  expect(entered).toEqual([0, 1])
  leave[1]!()
  await passing[1]
  expect(entered).toEqual([0, 1, 2])
  leave[0]!()
  await passing[0]
  expect(entered).toEqual([0, 1, 2, 3])
  leave[2]!()
  leave[3]!()
  await Promise.all(passing)
})

it('a gate is as wide as before after one that failed', async () => {
  const gate = new Gate(1)
  await expect(gate.through(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
  expect(await gate.through(async () => 'through')).toBe('through')
})
