import { Connection } from './connection/connection.ts'
import type { Session } from './connection/session.ts'
import { onAbort, systemClock, withDeadline } from './deadline.ts'
import { formatDuration } from './duration.ts'
import { InterfaceError } from './errors.ts'

/** A step of the user's that gets a connection, for as long as it runs. */
export type ConnectionHook = (connection: Connection) => Promise<void> | void

/** Runs a hook on a connection that it can use until it ends. */
export async function lend(session: Session, hook: string, run: ConnectionHook): Promise<void> {
  const connection = new Connection(session, {
    release: () => {
      throw new InterfaceError(`the ${hook} hook cannot release its connection: the pool does`)
    },
  })
  try {
    await run(connection)
    if (session.transactionStatus !== 'I' || !session.isIdle) {
      throw new InterfaceError(
        `the ${hook} hook left a transaction open or a statement running; end it, and await what it starts`,
      )
    }
  } finally {
    connection.end(`the ${hook} hook, which it was for, has ended`)
  }
}

/**
 * What a hook's `work` gives, unless it takes longer than `limit` milliseconds (0: no limit) or `signal` aborts. The
 * limit keeps the process alive: nothing else may, while the hook is waited for.
 */
export function bounded<T>(hook: string, work: Promise<T>, limit: number, signal: AbortSignal): Promise<T> {
  let stopWatching = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stopWatching = onAbort(signal, reject)
  })
  return withDeadline(systemClock, limit, Promise.race([work, aborted]), () => {
    return new InterfaceError(`the ${hook} hook did not end within ${formatDuration(limit)} (hookTimeout)`)
  }).finally(stopWatching)
}
