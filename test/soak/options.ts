import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

export interface SoakOptions {
  minutes: number
  /** Chooses the faults, their order and their details. */
  seed: number
  /** The pauses between faults, of 5 to 20 s, are multiplied by it. */
  pace: number
  /** A regular expression: the faults that are made, by name. */
  faults: string
  /** Where the report is written, beside the standard output. */
  report: string | undefined
}

export const usage = 'npm run soak -- [--minutes 60] [--seed N] [--pace 1] [--faults REGEXP] [--report FILE]'

/** @throws Error naming the option that is not what it should be. */
export function readOptions(args: string[]): SoakOptions {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      pace: { type: 'string', default: '1' },
      faults: { type: 'string', default: '' },
      report: { type: 'string' },
    },
  })
  return {
    minutes: positive('minutes', values.minutes),
    seed: positive('seed', values.seed),
    pace: positive('pace', values.pace),
    faults: values.faults,
    report: values.report,
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new Error(`--${name}: ${JSON.stringify(text)} is not a number above 0; usage: ${usage}`)
}
