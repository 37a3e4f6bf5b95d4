import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * What the program writes to its standard output.
 *
 * @throws the signal's reason where it aborts; Error with what the program wrote, where it fails.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  try {
    return (await run(path, args, { signal })).stdout
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
