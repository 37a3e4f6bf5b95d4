import { fileURLToPath } from 'node:url'
import { runProgram } from '../run-program.ts'
import type { LapOrder } from './lap-process.ts'

const program = fileURLToPath(new URL('./lap-process.js', import.meta.url))

/** Plays a lap in a process of its own: no pool works on what another left to the heap, and the compiler knows one only. */
export async function playLap<Result>(order: LapOrder, signal: AbortSignal): Promise<Result> {
  const args = ['--expose-gc', program, JSON.stringify(order)]
  return JSON.parse(await runProgram(process.execPath, args, signal)) as Result
}
