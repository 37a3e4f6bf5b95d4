import { type Duration, parseDuration } from '../duration.ts'
import { InterfaceError } from '../errors.ts'
import { checkOptions } from './check-options.ts'

/** How a caller wants one call to be bounded; a timeout in milliseconds, `undefined`: the default. */
export interface Limits {
  timeout: number | undefined
  signal: AbortSignal | undefined
}

const defaults: Limits = { timeout: undefined, signal: undefined }

/**
 * The limits among a call's options.
 *
 * @throws InterfaceError naming `call` and the option that is not what it should be, or is not `timeout`, `signal` or
 * one of `others`.
 */
export function readLimits(
  call: string,
  options?: { timeout?: Duration | undefined; signal?: AbortSignal | undefined },
  others: readonly string[] = [],
): Limits {
  if (options === undefined) return defaults
  return checked(call, () => {
    checkOptions(options, ['timeout', 'signal', ...others])
    const { timeout, signal } = options
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new InterfaceError('signal: must be an AbortSignal, as of an AbortController')
    }
    return { timeout: timeout === undefined ? undefined : parseDuration('timeout', timeout), signal }
  })
}

/** Makes `check`'s misuse one of `call`, whose statement was not sent. */
export function checked<T>(call: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof InterfaceError)) throw error
    throw new InterfaceError(`${call}(): ${error.message}`, { outcome: 'not-sent' })
  }
}
