import { parseArgs } from 'node:util'

/** The command cannot be run as it was typed, or was stopped. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Runs a command to its end. SIGINT and SIGTERM abort the signal that `work` gets; a second one ends the process.
 * The exit code is 1 where `work` rejects.
 */
export async function runCommand(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new UsageError(`stopped by ${name}`)))
  }
  try {
    await work(stop.signal)
  } catch (error) {
    console.error(error instanceof UsageError ? error.message : error)
    process.exitCode = 1
  }
}

/**
 * The DSN (the first argument, else DATABASE_URL, else none) and the flags, of which `defaults` has them all.
 *
 * @throws UsageError naming the flag that is unknown or has no value.
 */
export function readArguments<Flag extends string>(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  defaults: Readonly<Record<Flag, string>>,
): { dsn: string | undefined; flags: Record<Flag, string> } {
  const { values, positionals } = parse(args, Object.keys(defaults))
  if (positionals.length > 1) throw new UsageError(`give one DSN at most, not ${positionals.length}`)
  const dsn = positionals[0] ?? environment.DATABASE_URL?.trim()
  return { dsn: dsn === '' ? undefined : dsn, flags: { ...defaults, ...values } }
}

function parse(args: readonly string[], flags: readonly string[]) {
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: 'string' as const }]))
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nThe flags are --${flags.join(', --')}.`)
  }
}

/** @throws UsageError naming the flag where `text` is no number above 0. */
export function positiveNumber(flag: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new UsageError(`--${flag}: ${JSON.stringify(text)} is not a number above 0`)
}

/** @throws UsageError naming the flag where `text` is no whole number above 0. */
export function positiveWhole(flag: string, text: string): number {
  const value = positiveNumber(flag, text)
  if (Number.isSafeInteger(value)) return value
  throw new UsageError(`--${flag}: ${JSON.stringify(text)} is not a whole number`)
}
