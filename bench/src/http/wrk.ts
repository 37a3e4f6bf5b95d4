import { fileURLToPath } from 'node:url'
import type { Measurement } from '../measure.ts'
import { runProgram } from '../run-program.ts'
import { wrk } from './programs.ts'

const script = fileURLToPath(
  new URL('bench/src/http/tasks.lua', import.meta.resolve('rockpool/package.json')),
)

/** What the script of that language prints. */
interface Printed {
  right: number
  wrong: number
  failed: number
  microseconds: number
  p50: number
  p99: number
}

/** Of the CPU time nothing is known. */
export type HttpFigures = Omit<Measurement, 'cpu'>

/**
 * Puts a load on a server; `question` is what `tasks.lua` takes as its arguments. wrk counts in whole seconds.
 *
 * @throws Error where an answer was wrong, or did not come.
 */
export async function load(
  origin: string,
  question: readonly string[],
  { connections, seconds, signal }: { connections: number; seconds: number; signal: AbortSignal },
): Promise<HttpFigures> {
  const size = ['--threads', '2', '--connections', String(connections)]
  const length = ['--duration', `${Math.max(1, Math.round(seconds))}s`]
  const args = [...size, ...length, '--script', script, origin, '--', ...question]
  return readFigures(await runProgram(wrk.found()!.path, args, signal))
}

/** @throws Error where an answer was wrong, or did not come. */
export function readFigures(output: string): HttpFigures {
  const [, json] = /^figures (.*)$/m.exec(output) ?? []
  if (json === undefined) throw new Error(`wrk has no figures:\n${output}`)
  const { right, wrong, failed, microseconds, p50, p99 }: Printed = JSON.parse(json)
  if (wrong > 0 || failed > 0 || right === 0) {
    const [, example = ''] = /^example (.*)$/m.exec(output) ?? []
    throw new Error(`${right} right answers, ${wrong} wrong ones, ${failed} that did not come: ${example}`)
  }
  return { requests: right, rate: (right / microseconds) * 1e6, p50: p50 / 1_000, p99: p99 / 1_000 }
}
