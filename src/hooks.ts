import { Connection } from './connection/connection.ts'
import type { Session } from './connection/session.ts'
import { type Clock, onAbort, withDeadline } from './deadline.ts'
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

/** What a hook's `work` gives, unless it takes longer than `limit` milliseconds (0: no limit) or `signal` aborts. */
export function bounded<T>(
  hook: string,
  work: Promise<T>,
  clock: Clock,
  limit: number,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopWatching = onAbort(signal, reject)
    withDeadline(clock, limit, work, () => {
      return new InterfaceError(`the ${hook} hook did not end within ${formatDuration(limit)} (hookTimeout)`)
    })
      .then(resolve, reject)
      .finally(stopWatching)
  })
}
