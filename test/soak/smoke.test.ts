import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A machine that is busy with other tests may break these without anybody's being wrong. */
const timed = ['I2', 'I10', 'R2', 'R8', 'calm']

it('a short soak runs to its end, and finds nothing', { timeout: 120_000 }, async () => {
  await run(process.execPath, [
    here('../../node_modules/typescript/bin/tsc'),
    ...['-p', here('../tsconfig.run.json'), '--outDir', here('dist')],
  ])
  const soak = [here('dist/test/soak/main.js'), '--minutes', '0.1', '--pace', '0.05', '--seed', '5']
  const { stdout, stderr } = await run(process.execPath, soak).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  expect(stdout, stderr).toMatch(/^# Soak\n\n.* operations done, \d+ faults/)
  expect(Number(/(\d+) operations/.exec(stdout)![1])).toBeGreaterThan(100)
  expect(Number(/(\d+) faults/.exec(stdout)![1])).toBeGreaterThan(1)
  const violations = [...stdout.matchAll(/^- [\d.]+ s, (\w+): .*$/gm)]
  expect(violations.filter(([, rule]) => !timed.includes(rule!)).map(([line]) => line)).toEqual([])
})
