import { InterfaceError } from '../errors.ts'

/** @throws InterfaceError naming `argument` where `value` is not a whole number of 0 or more. */
export function checkCount(argument: string, value: unknown): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return
  throw new InterfaceError(`${argument}: ${String(value)} is not a whole number of 0 or more`)
}

/** @throws InterfaceError naming `argument` where `value` is no function. */
export function checkFunction(argument: string, value: unknown): void {
  if (typeof value !== 'function') throw new InterfaceError(`${argument}: must be a function`)
}
