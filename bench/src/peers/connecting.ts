import pg from 'pg'
import { connect } from 'rockpool'
import type { RowClient } from '../workloads/task-by-id.ts'
import type { Usage } from './peer.ts'

/** A connection for each request, opened and closed for it. */
export const rockpoolConnecting: Usage<RowClient> = {
  name: 'rockpool: a connection for each request',
  reset: 'none',
  open: async (dsn) => ({
    async fetchRow({ text }, args) {
      const connection = await connect(dsn)
      try {
        return await connection.fetchRow(text, args)
      } finally {
        await connection.close()
      }
    },
    close: async () => {},
  }),
}

export const pgConnecting: Usage<RowClient> = {
  name: 'pg: a connection for each request',
  reset: 'none',
  open: async (dsn) => ({
    async fetchRow({ text }, args) {
      const client = new pg.Client(dsn)
      await client.connect()
      try {
        return (await client.query(text, [...args])).rows[0]
      } finally {
        await client.end()
      }
    },
    close: async () => {},
  }),
}
