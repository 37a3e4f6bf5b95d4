import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LapOrder } from './lap-process.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('./lap-process.js', import.meta.url))

/**
 * Plays a lap in a process of its own: no pool works on what another left to the heap, and the compiler knows one only.
 *
 * @throws Error with what the process wrote, where it failed.
 */
export async function playLap<Result>(order: LapOrder, signal: AbortSignal): Promise<Result> {
  const { stdout } = await run(process.execPath, ['--expose-gc', program, JSON.stringify(order)], { signal })
  return JSON.parse(stdout) as Result
}
