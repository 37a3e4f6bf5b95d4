import type { Connection } from './connection/connection.ts'
import {
  beginText,
  type Transaction,
  type TransactionOptions,
  transactionOptionNames,
} from './connection/transaction.ts'
import { type Clock, onAbort } from './deadline.ts'
import { InterfaceError, PostgresError } from './errors.ts'

export interface PoolTransactionOptions extends TransactionOptions {
  /**
   * How often the transaction is run again after a serialization failure or a deadlock (40001, 40P01), COMMIT's own
   * among them, on the same connection, each time after a longer pause. `work` is called anew each time: what it does
   * outside of the transaction happens again. Default 0.
   */
  retries?: number | undefined
  /** The role that the transaction runs as, by SET LOCAL. It is no prison: `work` can RESET ROLE. Default: the session's. */
  role?: string | undefined
  /** Settings for the transaction only, by SET LOCAL; they are set before the role. Default: none. */
  settings?: Record<string, string | number | boolean> | undefined
}

export const poolTransactionOptionNames = [
  ...transactionOptionNames,
  'retries',
  'role',
  'settings',
] as const satisfies readonly (keyof PoolTransactionOptions)[]

/** A transaction to run: its options, checked and taken apart. */
export interface TransactionPlan {
  options: TransactionOptions
  retries: number
  /** What is set at its start, in this order. */
  settings: readonly (readonly [name: string, value: string])[]
}

/** @throws InterfaceError naming the option that is not what it should be. */
export function planTransaction(given: PoolTransactionOptions): TransactionPlan {
  const { retries = 0, role, settings = {}, ...options } = given
  beginText(options)
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw misuse(
      'retries',
      `${JSON.stringify(retries) ?? String(retries)} is not a whole number of 0 or more`,
    )
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw misuse('settings', "give an object, as in { 'app.tenant': '42' }")
  }
  const set = Object.entries(settings).map(
    ([name, value]) => [settingName(name), settingValue(name, value)] as const,
  )
  if (role === undefined) return { options, retries, settings: set }
  if (typeof role !== 'string' || role === '' || role.includes('\0')) {
    throw misuse('role', 'give the name of a role, a string that is not empty and holds no NUL')
  }
  if (role === 'none') {
    throw misuse('role', "'none' is SQL's word for the session's own; leave role out for that")
  }
  return { options, retries, settings: [...set, ['role', role]] }
}

function settingName(name: string): string {
  if (/^[a-z_][\w$]*(\.[a-z_][\w$]*)*$/i.test(name)) return name
  throw misuse('settings', `${JSON.stringify(name)} is no name of a setting`)
}

function settingValue(name: string, value: unknown): string {
  if (typeof value === 'string' && !value.includes('\0')) return value
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  throw misuse(`settings: ${name}`, 'give a string without NUL, a finite number, or true or false')
}

function misuse(option: string, what: string): InterfaceError {
  return new InterfaceError(`${option}: ${what}`, { outcome: 'not-sent' })
}

/** What a retry needs of the world. */
export interface RetryEnvironment {
  clock: Clock
  /** From 0 up to, but not including, 1. */
  random(): number
  /** Its abort ends the pause before a retry. */
  signal: AbortSignal | undefined
}

/** Runs `work` in a transaction as planned, again after failures that another run may not meet. */
export async function runPlanned<T>(
  connection: Connection,
  work: (tx: Transaction) => Promise<T> | T,
  plan: TransactionPlan,
  environment: RetryEnvironment,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await connection.transaction(async (tx) => {
        await setLocally(tx, plan.settings)
        return work(tx)
      }, plan.options)
    } catch (error) {
      if (failures >= plan.retries || !mayPass(error)) throw error
      await pause(failures, environment)
      // Where the ROLLBACK did not come through, nothing can be run again.
      if (connection.isClosed || connection.isInTransaction) throw error
    }
  }
}

/** SET LOCAL by another name: one that takes its values as arguments, and has no need to quote them. */
async function setLocally(tx: Transaction, settings: TransactionPlan['settings']): Promise<void> {
  if (settings.length === 0) return
  const calls = settings.map((_, i) => `pg_catalog.set_config($${2 * i + 1}, $${2 * i + 2}, true)`)
  await tx.execute(`select ${calls.join(', ')}`, settings.flat())
}

/** serialization_failure and deadlock_detected: the server has rolled the transaction back, and says so. */
function mayPass(error: unknown): boolean {
  return error instanceof PostgresError && (error.sqlState === '40001' || error.sqlState === '40P01')
}

const shortestPause = 5
const longestPause = 1_000

/** Twice as long each time, and never the same for two that met. */
function pause(failures: number, { clock, random, signal }: RetryEnvironment): Promise<void> {
  const ms = Math.min(longestPause, shortestPause * 2 ** failures) * (0.5 + random())
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw signal.reason
    const timer = clock.setTimer(ms, () => {
      stopWatching()
      resolve()
    })
    const stopWatching = onAbort(signal, (reason) => {
      timer.cancel()
      reject(reason)
    })
  })
}
