import { inspect } from 'node:util'
import { PostgresError, RockpoolError } from '../../src/errors.ts'
import type { Outcome } from './client.ts'
import type { Played } from './play.ts'
import { canary } from './recordings.ts'

const disguises = [
  canary,
  Buffer.from(canary).toString('base64').slice(0, 24),
  Buffer.from(canary).toString('hex'),
]

/** A reader that keeps more than this above what it was fed has believed a length. */
const roomForMemory = 8 * 2 ** 20

/** What is wrong with the way in which a stream was taken; empty where nothing is. */
export function violations(played: Played, before: { external: number }): string[] {
  const wrong = [...played.left, ...played.outcomes.flatMap(wrongOutcome)]
  const grown = played.external - before.external
  if (grown > roomForMemory) wrong.push(`${grown} bytes of memory were taken`)
  return wrong
}

function wrongOutcome(outcome: Outcome): string[] {
  if ('value' in outcome) return wrongValue(outcome.value)
  const wrong = wrongError(outcome.error)
  const shown = inspect(outcome.error, { depth: 6 })
  if (disguises.some((disguise) => shown.includes(disguise))) wrong.push(`the password is shown: ${shown}`)
  return wrong
}

/** An error is one of this library's that says something, and so is its cause, or that is the system's. */
function wrongError(error: unknown): string[] {
  if (!(error instanceof RockpoolError)) return [`no error of this library: ${inspect(error)}`]
  if (error.message === '' && !(error instanceof PostgresError))
    return [`an error without a message: ${inspect(error)}`]
  const { cause } = error
  if (cause === undefined || isOfTheSystem(cause)) return []
  return wrongError(cause)
}

function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

/** Whatever the bytes are, they are never an `undefined`, nor a Date without a time. */
function wrongValue(value: unknown): string[] {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? ['a value is an invalid Date'] : []
  if (typeof value === 'string') return value.includes('undefined') ? [`a value is ${inspect(value)}`] : []
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return []
  return Object.values(value).flatMap((part: unknown) =>
    part === undefined ? [`a value within ${inspect(value)} is undefined`] : wrongValue(part),
  )
}
