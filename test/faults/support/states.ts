import { expect } from 'vitest'
import type { Connection, PoolOptions } from '../../../src/index.ts'
import { deferred } from '../../../src/pooling/deferred.ts'
import { until } from '../../support/until.ts'
import { outlives, type Scene, write, writeAtCommit, writeWhenFree } from './scene.ts'

export type StateName =
  | 'connecting'
  | 'preparing'
  | 'checking'
  | 'idle'
  | 'leased'
  | 'running'
  | 'in a transaction'
  | 'committing'
  | 'pipelined'
  | 'one-shots'
  | 'resetting'
  | 'closing'

/** A state of a connection, and how one is brought into it: by locks and a held direction, so that it lasts. */
export interface State {
  readonly name: StateName
  readonly behindProxy?: true
  readonly options?: (key: number) => PoolOptions
  /** Names the victim, and begins what is to be under way when the fault strikes. */
  enter(scene: Scene): Promise<Continuation>
}

export interface Continuation {
  /** What a user does once the fault has struck. */
  goOn?(): void
  /** Ends what holds the state up, beside the lock. */
  letGo?(): void
}

const stand = (key: number) => async (connection: Connection) => {
  await connection.execute('select pg_advisory_xact_lock_shared($1)', [key])
}

/** A pool whose connections have all been used; the victim is the next to be handed out. */
async function warm(scene: Scene): Promise<void> {
  const { pool } = scene
  await pool.open()
  const held = await Promise.all(Array.from({ length: pool.maxSize }, () => pool.acquire()))
  for (const connection of held) {
    await connection.fetch('select 1 from ledger where false')
    await connection.release()
  }
  await until('all are idle', () => pool.idleSize === pool.maxSize)
  scene.victim = await pool.use((connection) => connection.processId)
}

/** Holds a connection whose session is no longer as it was. */
async function lease(scene: Scene): Promise<Connection> {
  await warm(scene)
  const connection = await scene.pool.acquire()
  scene.victim = connection.processId
  await connection.execute("set work_mem to '77MB'")
  await connection.fetch('select pg_advisory_lock($1)', [1_000_000 + scene.key])
  return connection
}

/** `work` on the connection, which is released afterwards. */
function call(scene: Scene, name: string, connection: Connection, work: Promise<unknown>): void {
  scene.call(
    name,
    work.finally(() => connection.release()),
  )
}

const connecting: State = {
  name: 'connecting',
  options: (key) => ({ init: stand(key) }),
  async enter(scene) {
    await scene.lock()
    scene.writeOnPool('caller')
    scene.victim = await scene.standing(1)
    return {}
  },
}

const preparing: State = {
  name: 'preparing',
  options: (key) => ({ setup: stand(key) }),
  async enter(scene) {
    await scene.pool.open()
    await scene.lock()
    scene.writeOnPool('caller')
    scene.victim = await scene.standing(1)
    return {}
  },
}

const checking: State = {
  name: 'checking',
  behindProxy: true,
  options: () => ({ minSize: 1, maxSize: 1, checkIdleAfter: 'always' }),
  async enter(scene) {
    await warm(scene)
    const { toServer } = scene.proxy!.connections[0]!
    toServer.hold()
    scene.writeOnPool('caller')
    expect(scene.pool.stats().checking).toBe(1)
    return { letGo: () => toServer.resume() }
  },
}

const idle: State = {
  name: 'idle',
  options: () => ({ checkIdleAfter: 'always' }),
  async enter(scene) {
    await warm(scene)
    return { goOn: () => scene.writeOnPool('caller') }
  },
}

const leased: State = {
  name: 'leased',
  async enter(scene) {
    const connection = await lease(scene)
    const { signal } = scene
    return {
      goOn: () =>
        call(
          scene,
          'statement',
          connection,
          connection.execute(write, [scene.entry('statement')], { signal }),
        ),
    }
  },
}

const running: State = {
  name: 'running',
  async enter(scene) {
    const connection = await lease(scene)
    const { signal, key } = scene
    await scene.lock()
    const work = connection.execute(writeWhenFree, [scene.entry('statement'), key], { signal })
    call(scene, 'statement', connection, work)
    await scene.standing(1)
    return {}
  },
}

const inTransaction: State = {
  name: 'in a transaction',
  async enter(scene) {
    await warm(scene)
    const { signal } = scene
    const begun = deferred<number>()
    const struck = deferred<void>()
    const work = scene.pool.transaction(async (tx) => {
      await tx.execute("set work_mem to '77MB'")
      await tx.execute(write, [scene.entry('transaction')])
      begun.resolve((await tx.fetchVal<number>('select pg_backend_pid()'))!)
      await struck.promise
      await tx.fetchVal('select 1', [], { signal })
    })
    scene.call('transaction', work)
    scene.victim = await begun.promise
    return { goOn: () => struck.resolve() }
  },
}

const committing: State = {
  name: 'committing',
  async enter(scene) {
    await warm(scene)
    const { signal, key } = scene
    await scene.lock()
    const work = scene.pool.transaction(
      async (tx) => {
        await tx.execute("set work_mem to '77MB'")
        await tx.execute(writeAtCommit, [scene.entry('transaction'), key])
      },
      { signal },
    )
    scene.call('transaction', work)
    scene.victim = await scene.standing(1)
    return {}
  },
}

const pipelined: State = {
  name: 'pipelined',
  async enter(scene) {
    const connection = await lease(scene)
    const { signal, key } = scene
    // What was never prepared would not be written behind another.
    await connection.execute(write, ['before'])
    await connection.execute(writeWhenFree, ['before', key])
    await scene.lock()
    scene.call('first', connection.execute(writeWhenFree, [scene.entry('first'), key], { signal }))
    for (const name of ['second', 'third']) {
      scene.call(name, connection.execute(write, [scene.entry(name)], { signal }))
    }
    scene.released = scene.ended(['first', 'second', 'third']).then(() => connection.release())
    await scene.standing(1)
    return {}
  },
}

const oneShots: State = {
  name: 'one-shots',
  async enter(scene) {
    await warm(scene)
    const { pool, signal, key } = scene
    await scene.lock()
    for (const name of ['first', 'second', 'third', 'fourth']) {
      const limit = name === 'first' || name === 'second' ? {} : outlives
      scene.call(name, pool.execute(writeWhenFree, [scene.entry(name), key], { signal, ...limit }))
      if (name === 'first') scene.victim = await scene.standing(1)
    }
    await scene.standing(2)
    return {}
  },
}

const resetting: State = {
  name: 'resetting',
  options: (key) => ({
    minSize: 1,
    maxSize: 1,
    reset: async (connection) => {
      await stand(key)(connection)
      await connection.execute('reset all')
      await connection.fetch('select pg_advisory_unlock_all()')
    },
  }),
  async enter(scene) {
    const connection = await lease(scene)
    await scene.lock()
    await connection.release()
    await scene.standing(1)
    return { goOn: () => scene.writeOnPool('caller') }
  },
}

const closing: State = {
  name: 'closing',
  behindProxy: true,
  options: () => ({ minSize: 1, maxSize: 2 }),
  async enter(scene) {
    const { pool, proxy } = scene
    await pool.open()
    scene.victim = await pool.use((connection) => connection.processId)
    const { toServer } = proxy!.connections[0]!
    toServer.hold()
    pool.expireConnections()
    await until('another is open', () => pool.idleSize === 1 && pool.stats().closing === 1)
    return { goOn: () => scene.writeOnPool('caller'), letGo: () => toServer.resume() }
  },
}

export const states: readonly State[] = [
  connecting,
  preparing,
  checking,
  idle,
  leased,
  running,
  inTransaction,
  committing,
  pipelined,
  oneShots,
  resetting,
  closing,
]
