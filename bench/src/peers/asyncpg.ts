import { python } from '../runtimes/program.ts'
import type { Peer } from './peer.ts'

/** asyncpg on uvloop; src/runtimes/asyncpg_peer.py measures it. */
export const asyncpg: Peer = { name: 'asyncpg + uvloop', reset: 'partial', runtime: python }

export const asyncpgConnecting: Peer = {
  name: 'asyncpg + uvloop: a connection for each request',
  reset: 'none',
  runtime: python,
}
