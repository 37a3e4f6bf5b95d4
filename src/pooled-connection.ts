import { Connection } from './connection/connection.ts'
import type { Session } from './connection/session.ts'
import type { Lease } from './pooling/index.ts'

/** A connection that a pool lent, until it is released. */
export class PooledConnection extends Connection {
  /** Whose it is. */
  readonly owner: object

  constructor(owner: object, lease: Lease<Session>) {
    super(lease.connection, {
      release: async (connection) => {
        connection.end('connection has been released back to the pool')
        lease.release()
      },
    })
    this.owner = owner
  }
}
