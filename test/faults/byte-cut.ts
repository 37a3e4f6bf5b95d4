import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { connect, Pool, RockpoolError } from '../../src/index.ts'
import { FaultProxy, type ProxiedConnection } from '../../src/testing/index.ts'
import { adminQuery, backends, freshDatabase } from '../support/servers.ts'
import type { TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

/** How a connection fails at a byte: by RST, or by silence from there on, in the byte's direction or in both. */
export type Kind = 'reset' | 'silent one way' | 'silent both ways'
export type Way = 'toServer' | 'toClient'

export interface Cut {
  kind: Kind
  way: Way
  /** How many bytes pass before it. */
  at: number
}

/** What writes through the proxy: one connection, or a pool, which may connect again. */
export type Client = 'connection' | 'pool'

/** Long enough for a healthy server, and short, as a silent one is waited for each time. */
const limits = {
  connectTimeout: 800,
  commandTimeout: 250,
  cancelTimeout: 150,
  closeTimeout: 150,
  ssl: false,
} as const

/** How long a call may take in all, with room for a busy machine: the limits add up to less than two seconds. */
const bound = 15_000

/** How many runs are under way at a time: most of them wait. */
const lanes = 60

/** How often a cut is tried that was not reached. */
const mostTries = 20

/** How many bytes pass each way where nothing is cut: up to the end of the login, and until COMMIT is acknowledged. */
export interface Lengths {
  login: Record<Way, number>
  commit: Record<Way, number>
}

/** What a run came to; `fits` says how often its row may be in the ledger. */
interface Entry {
  id: number
  what: string
  fits: readonly number[]
}

/**
 * Writes one row through a connection that is cut at a byte, many times: connect, BEGIN, INSERT, COMMIT. Each run has an
 * id of its own in the ledger, which is read when every run is over and the server has ended every session.
 */
export class Runs {
  readonly lengths: Lengths
  readonly #server: TestServer
  readonly #admin: string
  readonly #dsn: string
  readonly #entries: Entry[] = []
  readonly #resources = resources()
  #ids = 1

  private constructor(server: TestServer, admin: string, dsn: string, lengths: Lengths) {
    this.#server = server
    this.#admin = admin
    this.#dsn = dsn
    this.lengths = lengths
  }

  static async on(server: TestServer, method: 'trust' | 'scram'): Promise<Runs> {
    const admin = await freshDatabase(server)
    await adminQuery(admin, 'create table ledger (id int4 not null)')
    const dsn = method === 'trust' ? admin : await scramLogin(admin)
    const lengths = await withProxy(server, (proxy) => measure(proxy, dsn))
    await adminQuery(admin, 'truncate ledger')
    return new Runs(server, admin, dsn, lengths)
  }

  /** One run for each cut, many at a time; then the ledger is compared with what the runs were told. */
  async each(client: Client, cuts: readonly Cut[]): Promise<void> {
    const queue = cuts.values()
    const lane = () =>
      withProxy(this.#server, async (proxy) => {
        for (const cut of queue) await this.#run(client, cut, proxy)
      })
    await Promise.all(Array.from({ length: lanes }, lane))
    await this.#settle()
  }

  async #settle(): Promise<void> {
    const isQuiet = async () => (await backends(this.#admin)).length === 0
    await until('the server has ended every session', isQuiet, 30_000)
    const rows = await adminQuery<{ id: number; times: number }>(
      this.#admin,
      'select id, count(*)::int4 as times from ledger group by id',
    )
    const times = new Map(rows.map((row) => [row.id, row.times]))
    const wrong = this.#entries.filter(({ id, fits }) => !fits.includes(times.get(id) ?? 0))
    expect(wrong.map(({ id, what }) => `${what}, and is there ${times.get(id) ?? 0} times`)).toEqual([])
    await until('no socket and no timer is left', () => resources() <= this.#resources)
  }

  /** Until the cut was reached: on a busy machine, a login may take longer than its time before. */
  async #run(client: Client, cut: Cut, proxy: FaultProxy): Promise<void> {
    for (let tries = 1; !(await this.#attempt(client, cut, proxy)); tries++) {
      expect(tries, `${describe(client, cut)} was not reached`).toBeLessThan(mostTries)
    }
  }

  /** Tells whether the cut was reached. */
  async #attempt(client: Client, cut: Cut, proxy: FaultProxy): Promise<boolean> {
    const id = this.#ids++
    let isCut = false
    const stop = proxy.onConnection('session', (connection) => {
      stop()
      connection[cut.way].at(cut.at, () => {
        isCut = true
        fail(connection, cut)
      })
    })
    const where = describe(client, cut)
    const start = performance.now()
    let isInserted = false
    const write = client === 'pool' ? throughPool : throughConnection
    const error = await write(proxy.through(this.#dsn), id, () => {
      isInserted = true
    })
    expect(performance.now() - start, where).toBeLessThan(bound)
    stop()
    proxy.reset()
    if (isCut && error === undefined) expect(this.#maySucceed(client, cut), where).toBe(true)
    this.#entries.push({ id, what: `${where}: ${told(error, where)}`, fits: fitting(error, isInserted) })
    return isCut
  }

  /** A pool connects again; and what comes behind the last byte, or was never waited for, harms nobody. */
  #maySucceed(client: Client, { kind, way, at }: Cut): boolean {
    const { login, commit } = this.lengths
    const isBehind = at === commit[way] && (way === 'toClient' || kind === 'silent one way')
    return isBehind || (client === 'pool' && at <= login[way])
  }
}

function describe(client: Client, { kind, way, at }: Cut): string {
  return `${client}, ${kind} ${way} after ${at} bytes`
}

async function withProxy<T>({ host, port }: TestServer, work: (proxy: FaultProxy) => Promise<T>): Promise<T> {
  const proxy = await FaultProxy.start({ host, port })
  try {
    return await work(proxy)
  } finally {
    await proxy.close()
  }
}

async function measure(proxy: FaultProxy, dsn: string): Promise<Lengths> {
  const next = proxy.nextConnection()
  const connection = await connect(proxy.through(dsn), { ssl: false })
  const { toServer, toClient } = await next
  const passed = () => ({ toServer: toServer.bytesPassed, toClient: toClient.bytesPassed })
  const login = passed()
  await connection.transaction((tx) => tx.execute(insert, [0]))
  const commit = passed()
  await connection.close()
  return { login, commit }
}

/** A role that logs in by SCRAM, at the least cost that a server offers: it is paid for each run. */
async function scramLogin(admin: string): Promise<string> {
  const { host, pathname } = new URL(admin)
  const role = `byte_cut_${randomBytes(8).toString('hex')}`
  await adminQuery(
    admin,
    `set scram_iterations = 1; create role ${role} login in role needs_scram password 'secret'; grant all on ledger to ${role}`,
  )
  return `postgres://${role}:secret@${host}${pathname}`
}

/** How many sockets and timers this process has. */
function resources(): number {
  const kinds = ['TCPSocketWrap', 'Timeout']
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind)).length
}

const insert = 'insert into ledger values ($1)'

function fail(connection: ProxiedConnection, { kind, way }: Cut): void {
  if (kind === 'reset') connection.reset()
  else if (kind === 'silent one way') connection[way].hold()
  else connection.hold()
}

/** Gives the error, or `undefined` where the COMMIT was acknowledged. */
async function throughConnection(dsn: string, id: number, inserted: () => void): Promise<unknown> {
  let connection: Awaited<ReturnType<typeof connect>> | undefined
  try {
    connection = await connect(dsn, limits)
    await connection.transaction(async (tx) => {
      await tx.execute(insert, [id])
      inserted()
    })
    return undefined
  } catch (error) {
    return error
  } finally {
    await connection?.terminate()
  }
}

/** As above; the pool must work afterwards. */
async function throughPool(dsn: string, id: number, inserted: () => void): Promise<unknown> {
  const pool = new Pool(dsn, { ...limits, maxSize: 1, acquireTimeout: bound })
  const transaction = pool.transaction(async (tx) => {
    await tx.execute(insert, [id])
    inserted()
  })
  try {
    return await transaction.then(
      () => undefined,
      (error: unknown) => error,
    )
  } finally {
    expect(await pool.fetchVal('select 7', [], { timeout: bound })).toBe(7)
    await pool.terminate()
  }
}

function told(error: unknown, where: string): string {
  if (error === undefined) return 'the write was acknowledged'
  expect(error, where).toBeInstanceOf(RockpoolError)
  const { name, message, outcome } = error as RockpoolError
  expect(message, where).not.toBe('')
  return `the write failed by ${name} (${outcome ?? 'without an outcome'}): ${message}`
}

/** How often a row may be there, by what its writer was told: what fails before COMMIT must leave nothing. */
function fitting(error: unknown, isInserted: boolean): readonly number[] {
  if (error === undefined) return [1]
  if (!isInserted) return [0]
  switch ((error as RockpoolError).outcome) {
    case 'unknown':
      return [0, 1]
    case 'executed':
      return [1]
    default:
      return [0]
  }
}

/** Every byte of both ways: the place behind the last one, too. */
export function everyByte(kind: Kind, lengths: Record<Way, number>): Cut[] {
  return (['toServer', 'toClient'] as const).flatMap((way) =>
    Array.from({ length: lengths[way] + 1 }, (_, at) => ({ kind, way, at })),
  )
}
