import { expect, test } from 'vitest'
import { anyServer } from '../support/servers.ts'
import { everyByte, Runs } from './byte-cut.ts'

test.for(['connection', 'pool'] as const)(
  'a %s reset at any byte tells what became of the write',
  { timeout: 120_000 },
  async (client) => {
    const runs = await Runs.on(anyServer())
    const lengths = await runs.lengths()
    const t = performance.now()
    await runs.each(client, everyByte('reset', lengths), 16)
    await runs.settle()
    console.log(lengths, runs.tally, performance.now() - t)
    expect(runs.tally.failed).toBeGreaterThan(0)
  },
)
test.for(['connection', 'pool'] as const)(
  'a %s silent at any byte tells what became of the write',
  { timeout: 120_000 },
  async (client) => {
    const runs = await Runs.on(anyServer())
    const lengths = await runs.lengths()
    const t = performance.now()
    await runs.each(client, everyByte('silent both ways', lengths), 40)
    await runs.settle()
    console.log(lengths, runs.tally, performance.now() - t)
    expect(runs.tally.failed).toBeGreaterThan(0)
  },
)
