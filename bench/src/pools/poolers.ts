import { EventEmitter } from 'node:events'
import { createPool as createGenericPool } from 'generic-pool'
import { Pool as LightningPool } from 'lightning-pool'
import type { Client, PoolClient } from 'pg'
import PgPool from 'pg-pool'
import { type Connector, type Lease, ResourcePool, resolvePoolSettings } from 'rockpool/testing'
import { Pool as Tarn } from 'tarn'
import { systemClock } from '../../../src/deadline.ts'
import { ArrayAndPromise } from './array-and-promise.ts'
import { Nowhere, type Pooler, type Pooling } from './pooling.ts'

export const ours = 'rockpool'
export const floor = 'an array and a promise'

/** All as they are by default, but for the number of connections; none of them limits how many may wait. */
export const poolers: readonly Pooler[] = [
  { name: ours, timesOut: true, open: rockpool },
  { name: floor, timesOut: false, open: (connections) => new ArrayAndPromise(connections) },
  { name: 'tarn', timesOut: true, open: tarn },
  { name: 'generic-pool', timesOut: true, open: genericPool },
  { name: 'lightning-pool', timesOut: true, open: lightningPool },
  { name: 'pg-pool', timesOut: true, open: pgPool },
]

const create = async () => new Nowhere()
const destroy = async () => {}

const connector: Connector<Nowhere> = {
  connect: create,
  isPermanent: () => true,
  check: destroy,
  reset: () => undefined,
  commands: () => 0,
  close: destroy,
  terminate: destroy,
}

function rockpool(connections: number, timeout?: number): Pooling<Lease<Nowhere>> {
  const settings = resolvePoolSettings({ maxSize: connections, acquireTimeout: timeout })
  const pool = new ResourcePool(connector, settings, { clock: systemClock, random: Math.random })
  return {
    acquire: () => pool.acquire(),
    release: (lease) => lease.release(),
    connectionOf: ({ connection }) => connection,
  }
}

const itself = { connectionOf: (connection: Nowhere) => connection }

function tarn(connections: number, timeout?: number): Pooling<Nowhere> {
  const limit = timeout === undefined ? {} : { acquireTimeoutMillis: timeout }
  const pool = new Tarn<Nowhere>({ create, destroy, min: connections, max: connections, ...limit })
  return {
    acquire: () => pool.acquire().promise,
    release: (connection) => pool.release(connection),
    ...itself,
  }
}

function genericPool(connections: number, timeout?: number): Pooling<Nowhere> {
  const limit = timeout === undefined ? {} : { acquireTimeoutMillis: timeout }
  const pool = createGenericPool({ create, destroy }, { min: connections, max: connections, ...limit })
  return {
    acquire: () => pool.acquire(),
    release: (connection) => pool.release(connection),
    ...itself,
  }
}

function lightningPool(connections: number, timeout = 0): Pooling<Nowhere> {
  const pool = new LightningPool<Nowhere>(
    { create, destroy },
    { min: connections, max: connections, maxQueue: 1_000_000, acquireTimeoutMillis: timeout },
  )
  return {
    acquire: () => pool.acquire(),
    release: (connection) => pool.release(connection),
    ...itself,
  }
}

/** All that pg-pool asks of a client. */
class NowhereClient extends EventEmitter {
  readonly _queryable = true
  readonly nowhere = new Nowhere()

  connect(connected: (error?: Error) => void): void {
    process.nextTick(connected)
  }

  end(ended: () => void): void {
    process.nextTick(ended)
  }
}

function pgPool(connections: number, timeout = 0): Pooling<PoolClient> {
  const pool = new PgPool(
    { max: connections, idleTimeoutMillis: 0, connectionTimeoutMillis: timeout },
    NowhereClient as unknown as new () => Client,
  )
  return {
    acquire: () => pool.connect(),
    release: (client) => client.release(),
    connectionOf: (client) => (client as unknown as NowhereClient).nowhere,
  }
}
